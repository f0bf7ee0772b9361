// What real pods of the tests run: a server of one file without any dependency.
module ebb.dev/tools/kubernetes/real-pod

go 1.26.0
