package main

import (
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// reaper starts processes and collects every child that ends: its own components, and as process 1 also what other
// processes orphan. os/exec is not used, because its Wait and a wait for any child would steal from each other.
type reaper struct {
	mutex  sync.Mutex // held from fork to registration, so that no child ends unregistered
	ended  map[int]chan syscall.WaitStatus
	starts chan func()
	null   *os.File // every component's stdin; held here, or the garbage collector would close it
}

func startReaper() (*reaper, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	r := &reaper{ended: map[int]chan syscall.WaitStatus{}, starts: make(chan func()), null: null}
	// PR_SET_PDEATHSIG fires when the *thread* that forked ends: all forks come from one that never does.
	go func() {
		runtime.LockOSThread()
		for start := range r.starts {
			start()
		}
	}()
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go func() {
		for range children {
			r.collect()
		}
	}()
	return r, nil
}

// collect waits for all that have ended; one signal may stand for many.
func (r *reaper) collect() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		r.mutex.Lock()
		ended, ours := r.ended[pid]
		delete(r.ended, pid)
		r.mutex.Unlock()
		if ours {
			ended <- status
		}
	}
}

// start answers a channel that gets the exit status, and the pid as seen from here.
func (r *reaper) start(component Component, log *os.File) (<-chan syscall.WaitStatus, int, error) {
	ended := make(chan syscall.WaitStatus, 1)
	var pid int
	var err error
	done := make(chan struct{})
	r.starts <- func() {
		defer close(done)
		r.mutex.Lock()
		defer r.mutex.Unlock()
		pid, err = syscall.ForkExec(component.Argv[0], component.Argv, &syscall.ProcAttr{
			Dir:   "/",
			Env:   append(os.Environ(), component.Env...),
			Files: []uintptr{r.null.Fd(), log.Fd(), log.Fd()},
			Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
		})
		if err == nil {
			r.ended[pid] = ended
		}
	}
	<-done
	return ended, pid, err
}
