;; RUN: run --quiet --timeout 300ms %
;; RUN: run --quiet --no-cpu --timeout 0.3s %
(module (func (export "_start") (loop $forever (br $forever))))
