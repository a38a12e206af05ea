package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	steady       = 10 * time.Second       // a component that ran this long starts again at once when it ends
	firstDelay   = 100 * time.Millisecond // one that fails faster waits, twice as long each time,
	longestDelay = 5 * time.Second        // but never longer than this
)

// run never returns but with an error.
func run(config Config) error {
	// The directory may lie below a mount's target: what is written there goes through handles opened before.
	directory, err := os.OpenRoot(config.Directory)
	if err != nil {
		return err
	}
	if config.Namespaces {
		if err := syscall.Sethostname([]byte(config.Hostname)); err != nil {
			return err
		}
		if err := mountAll(config.Mounts); err != nil {
			return err
		}
	}
	if line, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil || strings.TrimSpace(line) != "go" {
		return fmt.Errorf("called off before the start")
	}
	if config.Namespaces {
		if err := loopbackUp(); err != nil {
			return err
		}
		if err := setSysctls(config.Sysctls); err != nil {
			return err
		}
	}
	processes, err := startReaper()
	if err != nil {
		return err
	}
	board := newBoard(directory, config.Components)
	for _, component := range config.Components {
		log, err := directory.OpenFile(filepath.Join("logs", component.Name+".log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		go keep(component, log, processes, board)
	}
	select {}
}

// keep runs one component for ever.
func keep(component Component, log *os.File, processes *reaper, board *board) {
	for _, need := range component.Needs {
		board.waitReady(need)
	}
	var delay time.Duration
	for {
		began := time.Now()
		ended, pid, err := processes.start(component, log)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", component.Name, err)
		} else {
			board.started(component.Name, pid)
			go board.watchReady(component, pid)
			status := <-ended
			board.ended(component.Name)
			fmt.Fprintf(os.Stderr, "%s %s: ended after %s: %s\n", time.Now().Format(time.RFC3339), component.Name, time.Since(began).Round(time.Millisecond), describe(status))
		}
		if time.Since(began) > steady {
			delay = 0
		} else {
			time.Sleep(delay)
			delay = min(max(2*delay, firstDelay), longestDelay)
		}
	}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + status.Signal().String()
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}
