package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// state is what components.json says of one component.
type state struct {
	Pid      int       `json:"pid"` // as seen inside the namespace; 0 between two runs
	Started  time.Time `json:"started"`
	Restarts int       `json:"restarts"`
	Ready    bool      `json:"ready"`
}

// board knows which component runs and which is ready, and writes it to components.json at each change.
type board struct {
	mutex     sync.Mutex
	directory *os.Root
	states    map[string]*state
	ready     map[string]chan struct{} // closed when the component was ready for the first time
}

func newBoard(directory *os.Root, components []Component) *board {
	b := &board{directory: directory, states: map[string]*state{}, ready: map[string]chan struct{}{}}
	for _, component := range components {
		b.states[component.Name] = &state{}
		b.ready[component.Name] = make(chan struct{})
	}
	return b
}

func (b *board) waitReady(name string) { <-b.ready[name] }

func (b *board) started(name string, pid int) {
	b.change(func() {
		state := b.states[name]
		if !state.Started.IsZero() {
			state.Restarts++
		}
		state.Pid, state.Started, state.Ready = pid, time.Now(), false
	})
}

func (b *board) ended(name string) {
	b.change(func() { b.states[name].Pid, b.states[name].Ready = 0, false })
}

// watchReady asks until the component answers or is no longer the process that was started.
func (b *board) watchReady(component Component, pid int) {
	for !answers(component.Ready) {
		time.Sleep(20 * time.Millisecond)
		b.mutex.Lock()
		current := b.states[component.Name].Pid
		b.mutex.Unlock()
		if current != pid {
			return
		}
	}
	b.change(func() {
		if b.states[component.Name].Pid != pid {
			return
		}
		b.states[component.Name].Ready = true
		select {
		case <-b.ready[component.Name]:
		default:
			close(b.ready[component.Name])
		}
	})
}

// change alters the states and replaces the file in one step, so that a reader never sees half of it.
func (b *board) change(alter func()) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	alter()
	content, err := json.MarshalIndent(b.states, "", "  ")
	if err == nil {
		err = b.directory.WriteFile("components.json.new", content, 0o644)
	}
	if err == nil {
		err = b.directory.Rename("components.json.new", "components.json")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "components.json:", err)
	}
}

// The probes stay inside the namespace and only ask whether a server answers: its certificate does not matter.
var probes = http.Client{
	Timeout:   time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

func answers(probe string) bool {
	if probe == "" {
		return true
	}
	if path, is := strings.CutPrefix(probe, "unix:"); is {
		connection, err := net.DialTimeout("unix", path, time.Second)
		if err != nil {
			return false
		}
		connection.Close()
		return true
	}
	response, err := probes.Get(probe)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
