// A program that looks from outside like a service whose own code cannot be built here: a static binary that listens
// where the Dockerfile of the service says, answers HTTP and the health checks of gRPC, and keeps a connection to each
// Service whose address stands in its environment.
//
// Set by the linker: port (none: $PORT; "-": it does not listen), more (a second port).
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

var port, more string

var address = regexp.MustCompile(`^(?:[a-z]+://)?([a-z][a-z0-9-]*:[0-9]+)(?:/.*)?$`)

func answer(reply http.ResponseWriter, asked *http.Request) {
	if !strings.HasPrefix(asked.Header.Get("Content-Type"), "application/grpc") {
		io.WriteString(reply, "fine\n")
		return
	}
	reply.Header().Set("Content-Type", "application/grpc")
	reply.Header().Set("Trailer", "Grpc-Status")
	io.Copy(io.Discard, asked.Body)
	if asked.URL.Path == "/grpc.health.v1.Health/Check" {
		reply.Write([]byte{0, 0, 0, 0, 2, 8, 1}) // status: SERVING
		reply.Header().Set("Grpc-Status", "0")
	} else {
		reply.Header().Set("Grpc-Status", "12") // UNIMPLEMENTED
	}
}

func call(to string) {
	for {
		peer, err := net.DialTimeout("tcp", to, 2*time.Second)
		if err == nil {
			log.Printf("connected to %s", to)
			io.Copy(io.Discard, peer) // until the other side ends it
			peer.Close()
		} else {
			log.Printf("no connection to %s: %v", to, err)
		}
		time.Sleep(time.Second)
	}
}

func main() {
	for _, each := range os.Environ() {
		_, value, _ := strings.Cut(each, "=")
		if found := address.FindStringSubmatch(value); found != nil {
			go call(found[1])
		}
	}
	if port == "" {
		port = os.Getenv("PORT")
	}
	if port == "-" {
		select {}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	ended := make(chan error)
	for _, each := range []string{port, more} {
		if each != "" {
			server := &http.Server{Addr: ":" + each, Handler: http.HandlerFunc(answer), Protocols: protocols}
			go func() { ended <- server.ListenAndServe() }()
		}
	}
	fmt.Println("listens on", port, more)
	log.Fatal(<-ended)
}
