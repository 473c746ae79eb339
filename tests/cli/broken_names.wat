;; Names that cannot be read cost a warning and the names, not the run.
;; RUN: run --hz 1 --timeout 300ms %
(module
  (func (export "_start") (loop $forever (br $forever)))
  (@custom "name" "\01\ff\ff\ff\ff"))
