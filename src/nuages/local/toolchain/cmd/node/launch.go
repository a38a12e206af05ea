package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// launch starts `node run` in a session of its own, its output in logs/node.log, and prints its pid. The child keeps
// our stdin: the one who called us writes "go" there when the network is ready, or closes it to call the start off.
func launch(config Config, path string) error {
	logs := filepath.Join(config.Directory, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(logs, "node.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	child := exec.Command("/proc/self/exe", "run", path)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, log, log
	child.Dir = "/"
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if config.Namespaces {
		child.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS
	}
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	return nil
}
