// Command node holds a cluster's processes together.
//
//	node launch CONFIG   make the namespaces, start `node run` in them, print its pid, and end
//	node run CONFIG      mount what the config says, wait for "go" on stdin, then keep every component running
//
// In its own PID namespace `run` is process 1: when it dies the kernel ends all that it started, and with the mount and
// network namespaces go their mounts, interfaces and firewall rules. Without namespaces (`--api-only`) each component
// asks the kernel for SIGKILL when `run` dies (PR_SET_PDEATHSIG).
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: node launch|run CONFIG"))
	}
	config, err := readConfig(os.Args[2])
	if err != nil {
		fail(err)
	}
	switch os.Args[1] {
	case "launch":
		err = launch(config, os.Args[2])
	case "run":
		err = run(config)
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "node:", err)
	os.Exit(1)
}
