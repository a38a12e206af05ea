package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const dialTimeout = 10 * time.Second

// dial connects to an address.
//
// Whoever ends a connection first keeps its source port for a minute (TIME_WAIT), and here that is us whenever it is
// the client: 28,000 short connections within a minute use up the ports towards one address. The kernel gives such a
// port to a socket that asks for it by number, as the sequence numbers and timestamps go on (tcp_twsk_unique in
// net/ipv4/tcp_ipv4.c), so then we ask, for one after the other.
func dial(address string) (*net.TCPConn, error) {
	deadline := time.Now().Add(dialTimeout)
	dialer := net.Dialer{Deadline: deadline, Control: reusable}
	for {
		connection, err := dialer.Dial("tcp4", address)
		if err == nil {
			return connection.(*net.TCPConn), nil
		}
		portTaken := errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EADDRINUSE)
		if !portTaken || time.Now().After(deadline) {
			return nil, err
		}
		if dialer.LocalAddr != nil {
			time.Sleep(time.Millisecond) // in use indeed; the next may be as well
		}
		dialer.LocalAddr = &net.TCPAddr{IP: source(address), Port: nextPort()}
	}
}

// source is this machine's own address towards another. A port of all addresses would have to be free on 127.0.0.1 too,
// where the clients' own ports rest. Connecting UDP asks the routes and sends nothing.
func source(address string) net.IP {
	asked, err := net.Dial("udp4", address)
	if err != nil {
		return nil
	}
	defer asked.Close()
	return asked.LocalAddr().(*net.UDPAddr).IP
}

// reusable lets a later socket have this one's port while it rests.
func reusable(_, _ string, socket syscall.RawConn) error {
	var failed error
	if err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}); err != nil {
		return err
	}
	return failed
}

var portsAskedFor atomic.Uint32

// nextPort goes round the range that the kernel takes source ports from.
func nextPort() int {
	first, last := uint32(32768), uint32(60999) // the kernel's default
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		_, _ = fmt.Sscan(string(text), &first, &last)
	}
	return int(first + portsAskedFor.Add(1)%(last-first+1))
}
