package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// listen serves each connection with the function, at an address that it returns.
func listen(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	socket, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		for {
			connection, err := socket.AcceptTCP()
			if err != nil {
				return
			}
			go serve(connection)
		}
	}()
	return socket.Addr().String()
}

// open connects to an address; nothing that is done with the connection takes longer than ten seconds.
func open(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	return connection.(*net.TCPConn)
}

// read connects to an address and reads to the end; a reset may come as early as in connecting.
func read(address string) error {
	connection, err := net.DialTimeout("tcp4", address, 10*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = io.ReadAll(connection)
	return err
}

// through serves by forwarding to an address.
func through(address string) func(*net.TCPConn) {
	return func(client *net.TCPConn) { _ = forward(client, address) }
}

func TestTheEndOfARequestReachesTheServerAndTheAnswerStillComesBack(t *testing.T) {
	server := listen(t, func(connection *net.TCPConn) {
		request, _ := io.ReadAll(connection) // only ends when the client's end of stream is passed on
		_, _ = connection.Write([]byte(strings.ToUpper(string(request))))
		_ = connection.Close()
	})
	client := open(t, listen(t, through(server)))
	_, _ = client.Write([]byte("hello"))
	_ = client.CloseWrite()
	if answer, err := io.ReadAll(client); string(answer) != "HELLO" || err != nil {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestAServerThatEndsFirstStillHearsTheClient(t *testing.T) {
	heard := make(chan string, 1)
	server := listen(t, func(connection *net.TCPConn) {
		_, _ = connection.Write([]byte("greeting"))
		_ = connection.CloseWrite()
		rest, _ := io.ReadAll(connection)
		heard <- string(rest)
	})
	client := open(t, listen(t, through(server)))
	if greeting, _ := io.ReadAll(client); string(greeting) != "greeting" {
		t.Errorf("got %q", greeting)
	}
	_, _ = client.Write([]byte("late"))
	_ = client.Close()
	if got := <-heard; got != "late" {
		t.Errorf("the server heard %q", got)
	}
}

func TestAResetIsPassedOnAsAReset(t *testing.T) {
	met := make(chan error, 1)
	server := listen(t, func(connection *net.TCPConn) {
		_, _ = connection.Write([]byte("x"))
		_, err := io.ReadAll(connection)
		met <- err
	})
	client := open(t, listen(t, through(server)))
	_, _ = io.ReadFull(client, make([]byte, 1))
	reset(client)
	if err := <-met; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server met %v", err)
	}

	rude := listen(t, func(connection *net.TCPConn) { reset(connection) })
	if err := read(listen(t, through(rude))); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client met %v", err)
	}
}

func TestAClientIsResetAtOnceWhenNobodyListens(t *testing.T) {
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	address := listen(t, through(gone.Addr().String()))
	start := time.Now()
	if err := read(address); !errors.Is(err, syscall.ECONNRESET) || time.Since(start) > time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

func TestAPortLeadsToItsNewTargetAndOldConnectionsGoOn(t *testing.T) {
	says := func(word string) string {
		return listen(t, func(connection *net.TCPConn) {
			line := make([]byte, 1)
			for {
				if _, err := io.ReadFull(connection, line); err != nil {
					return
				}
				_, _ = connection.Write([]byte(word))
			}
		})
	}
	ask := func(connection *net.TCPConn) string {
		answer := make([]byte, 3)
		_, _ = connection.Write([]byte("?"))
		_, _ = io.ReadFull(connection, answer)
		return string(answer)
	}
	one, two := says("one"), says("two")
	port := freePort(t)
	l := newListeners(slog.New(slog.DiscardHandler))
	t.Cleanup(l.close)
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()

	l.become(map[int]target{port: {one, "a"}})
	old := open(t, address)
	if got := ask(old); got != "one" {
		t.Fatal(got)
	}
	l.become(map[int]target{port: {two, "a"}})
	if got := ask(open(t, address)); got != "two" {
		t.Error("a new connection reached", got)
	}
	l.become(nil)
	if got := ask(old); got != "one" {
		t.Error("the old connection reached", got)
	}
	if _, err := net.Dial("tcp4", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error("the closed port answered", err)
	}
}

func TestATakenPortIsHadWhenItBecomesFree(t *testing.T) {
	holder, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := holder.Addr().(*net.TCPAddr).Port
	var log strings.Builder
	l := newListeners(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(l.close)
	wanted := map[int]target{port: {listen(t, func(c *net.TCPConn) { _ = c.Close() }), "a"}}
	l.become(wanted)
	l.become(wanted)
	if len(l.open) != 0 || strings.Count(log.String(), "not to be had") != 1 {
		t.Error(len(l.open), log.String())
	}
	_ = holder.Close()
	l.become(wanted)
	if len(l.open) != 1 {
		t.Error("still not open")
	}
}

func TestManyShortConnectionsLoseNothing(t *testing.T) {
	server := listen(t, func(connection *net.TCPConn) {
		_, _ = io.Copy(connection, connection)
		_ = connection.Close()
	})
	address := listen(t, through(server))
	const clients, each = 16, 100
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range each {
				client := open(t, address)
				_, _ = client.Write([]byte("ping"))
				_ = client.CloseWrite()
				if answer, err := io.ReadAll(client); string(answer) != "ping" || err != nil {
					t.Errorf("got %q, %v", answer, err)
				}
				_ = client.Close()
			}
		})
	}
	all.Wait()
}

func freePort(t *testing.T) int {
	t.Helper()
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	return socket.Addr().(*net.TCPAddr).Port
}
