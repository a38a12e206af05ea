package main

import (
	"errors"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// forward connects a client to an address and passes bytes both ways until both have said all (or one was reset).
// Its error is that of the dialling; the client is then reset at once, as a refused connection would look to it.
func forward(client *net.TCPConn, address string) error {
	server, err := dial(address)
	if err != nil {
		reset(client)
		return err
	}
	var both sync.WaitGroup
	both.Go(func() { pass(server, client) })
	pass(client, server)
	both.Wait()
	_ = client.Close()
	_ = server.Close()
	return nil
}

// pass copies one direction inside the kernel (io.Copy between two TCPConns splices) and hands on how it ended: an end
// of the stream closes only this direction, a reset of the source resets the other side.
// When it is the other side that broke, what that side has sent may still be on its way to the source: left to the
// other direction, which ends by itself.
func pass(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	switch {
	case err == nil:
		_ = to.CloseWrite()
	case broken(from):
		reset(to)
	}
}

// broken says whether the kernel has given a connection up: reset by its peer, or timed out.
func broken(connection *net.TCPConn) bool {
	const tcpClose = 7 // TCP_CLOSE of linux/net/tcp_states.h
	raw, err := connection.SyscallConn()
	if err != nil {
		return true
	}
	var info *unix.TCPInfo
	if err := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || info == nil {
		return true
	}
	return info.State == tcpClose
}

// reset ends a connection the hard way, so that its peer does not take what it has for the whole.
func reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0)
	_ = connection.Close()
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
