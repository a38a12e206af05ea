// Command volume makes and removes the folder behind a local-path volume: what the provisioner's helper pod runs
// instead of a shell script, so that no image with a shell is needed.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	// The provisioner's own flags (provisioner.go, SetupCommand); size is not enforced by a folder.
	path := flag.String("p", "", "the volume's folder")
	action := flag.String("a", "", "create or delete")
	flag.String("m", "", "volume mode")
	flag.String("s", "", "size in bytes")
	flag.Parse()
	if err := do(*action, *path); err != nil {
		fmt.Fprintln(os.Stderr, "volume:", err)
		os.Exit(1)
	}
}

func do(action, path string) error {
	if path == "" {
		return fmt.Errorf("-p is missing")
	}
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		return os.Chmod(path, 0o777) // whatever the umask: the pods that write here have any user id
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("unknown action %q", action)
}
