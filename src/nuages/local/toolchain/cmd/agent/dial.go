package main

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dialTimeout = 10 * time.Second
	asking      = 5 * time.Second
)

// askUntil is when the kernel shall look for ports by itself again: that it finds none takes it long.
var askUntil atomic.Int64

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
		if time.Now().UnixNano() < askUntil.Load() {
			dialer.LocalAddr = &net.TCPAddr{IP: source(address), Port: nextPort()}
		}
		connection, err := dialer.Dial("tcp4", address)
		switch {
		case err == nil:
			return connection.(*net.TCPConn), nil
		case time.Now().After(deadline):
			return nil, err
		case errors.Is(err, syscall.EADDRNOTAVAIL) && dialer.LocalAddr == nil:
			askUntil.Store(time.Now().Add(asking).UnixNano())
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EADDRINUSE):
			time.Sleep(time.Millisecond) // in use indeed; the next may be as well
		default:
			return nil, err
		}
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

// nextPort goes round 20000-29999. They lie outside the range that the kernel takes source ports from (32768-60999),
// where a port asked for by number is lost to all other programs of this machine, and below that of NodePorts.
func nextPort() int { return int(20000 + portsAskedFor.Add(1)%10000) }
