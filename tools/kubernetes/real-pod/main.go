// A small server for pods of the tests, and the program that holds a pod's namespaces. It is all that its image has in it.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "pause" {
		<-ended.Done()
		return
	}
	// As long as a model takes to load.
	if wait, err := time.ParseDuration(os.Getenv("START_AFTER")); err == nil {
		time.Sleep(wait)
	}
	host := os.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	server := &http.Server{Addr: net.JoinHostPort(host, os.Getenv("PORT")), ReadHeaderTimeout: 5 * time.Second}
	server.Handler = http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		fmt.Fprintf(answer, "%s %s\n", os.Getenv("POD"), request.URL.Path)
	})
	go func() {
		<-ended.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
