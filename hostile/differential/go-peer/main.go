// A server behind go-proxyproto that answers a request by the two ends that it believes in.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

const end = "\r\n\r\n"

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	demand := func(net.Addr) (proxyproto.Policy, error) { return proxyproto.REQUIRE, nil }
	behind := &proxyproto.Listener{Listener: listener, Policy: demand, ReadHeaderTimeout: 5 * time.Second}
	for {
		conn, err := behind.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	request := ""
	buffer := make([]byte, 4096)
	for !strings.HasSuffix(request, end) {
		count, err := conn.Read(buffer)
		request += string(buffer[:count])
		if err != nil {
			break
		}
	}
	if request == "" {
		return
	}
	if strings.TrimLeft(request, "\r\n") != "GET / HTTP/1.0"+end {
		fmt.Fprint(conn, "HTTP/1.0 400 Bad Request"+end)
		return
	}
	fmt.Fprintf(conn, "HTTP/1.0 200 OK%s%v %v", end, conn.RemoteAddr(), conn.LocalAddr())
}
