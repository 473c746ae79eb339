;; RUN: run --quiet %
;; RUN: run --quiet --invoke f %
(component)
