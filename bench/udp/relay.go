// A UDP relay without a contract: `relay PORT UPSTREAM_PORT`. A connected socket and a goroutine for each client, a
// version 2 header in front of each datagram.
package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
)

var start = []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x12\x00\x0c")

func main() {
	listener := must(net.ListenUDP("udp4", must(net.ResolveUDPAddr("udp4", "127.0.0.1:"+os.Args[1]))))
	listener.SetReadBuffer(4 << 20)
	upstream := must(net.ResolveUDPAddr("udp4", "127.0.0.1:"+os.Args[2]))
	own := listener.LocalAddr().(*net.UDPAddr).AddrPort()
	flows := map[netip.AddrPort]*net.UDPConn{}
	buffer := make([]byte, 2048)
	copy(buffer, start)
	for {
		length, client, err := listener.ReadFromUDPAddrPort(buffer[28:])
		if err != nil {
			continue
		}
		flow, known := flows[client]
		if !known {
			flow = must(net.DialUDP("udp4", nil, upstream))
			flows[client] = flow
			go answer(listener, flow, client)
		}
		source, destination := client.Addr().Unmap().As4(), own.Addr().Unmap().As4()
		copy(buffer[16:], source[:])
		copy(buffer[20:], destination[:])
		binary.BigEndian.PutUint16(buffer[24:], client.Port())
		binary.BigEndian.PutUint16(buffer[26:], own.Port())
		flow.Write(buffer[:28+length])
	}
}

func answer(listener *net.UDPConn, flow *net.UDPConn, client netip.AddrPort) {
	buffer := make([]byte, 2048)
	for {
		length, err := flow.Read(buffer)
		if err == nil {
			listener.WriteToUDPAddrPort(buffer[:length], client)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
