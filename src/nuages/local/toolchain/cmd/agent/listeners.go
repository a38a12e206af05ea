package main

import (
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A connection takes two sockets and up to two pipes, and some 10 KiB of memory.
const (
	maxConnections           = 8192
	descriptorsPerConnection = 6
)

// slots is how many connections all listeners forward at a time, as many as the process may have descriptors for.
// Beyond it new connections wait in the kernel's queue; nothing is refused.
func slots() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 128
	}
	return int(max(16, min(maxConnections, limit.Cur/descriptorsPerConnection)))
}

// listeners are the open ports of 127.0.0.1.
type listeners struct {
	log   *slog.Logger
	open  map[int]*listener
	taken map[int]bool // ports that another program has, so that this is said once
	slots chan struct{}
}

// listener accepts on one port, and leads new connections to where its target is at that moment.
type listener struct {
	socket *net.TCPListener
	target atomic.Pointer[target]
}

func newListeners(log *slog.Logger) *listeners {
	return &listeners{log, map[int]*listener{}, map[int]bool{}, make(chan struct{}, slots())}
}

// become opens, redirects and closes ports until they are the wanted ones, as far as the machine has them free.
func (l *listeners) become(wanted map[int]target) {
	for port, listener := range l.open {
		if _, stays := wanted[port]; !stays {
			_ = listener.socket.Close()
			delete(l.open, port)
			l.log.Info("port closed", "port", port)
		}
	}
	for port := range l.taken {
		if _, stays := wanted[port]; !stays {
			delete(l.taken, port)
		}
	}
	for port, to := range wanted {
		if listener := l.open[port]; listener != nil {
			if *listener.target.Swap(&to) != to {
				l.log.Info("port redirected", "port", port, "service", to.service, "to", to.address)
			}
			continue
		}
		socket, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			if !l.taken[port] {
				l.log.Warn("port not to be had, will be tried again", "port", port, "service", to.service, "error", err)
			}
			l.taken[port] = true
			continue
		}
		delete(l.taken, port)
		opened := &listener{socket: socket}
		opened.target.Store(&to)
		l.open[port] = opened
		l.log.Info("port open", "port", port, "service", to.service, "to", to.address)
		go l.accept(opened)
	}
}

// accept forwards each connection of a listener until the listener is closed.
func (l *listeners) accept(from *listener) {
	for {
		l.slots <- struct{}{}
		client, err := from.socket.AcceptTCP()
		if err != nil {
			<-l.slots
			if isClosed(err) {
				return
			}
			l.log.Warn("accept failed", "port", from.socket.Addr().(*net.TCPAddr).Port, "error", err)
			time.Sleep(20 * time.Millisecond) // out of descriptors: some come back
			continue
		}
		go func() {
			defer func() { <-l.slots }()
			to := from.target.Load()
			if err := forward(client, to.address); err != nil {
				l.log.Warn("connection refused", "service", to.service, "error", err)
			}
		}()
	}
}

// close closes all ports; connections end with the process.
func (l *listeners) close() { l.become(nil) }
