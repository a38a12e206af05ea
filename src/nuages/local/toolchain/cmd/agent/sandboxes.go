package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// cniResults is where libcni keeps what the plugins answered, one file for each sandbox, written before the first
// container of the pod starts. The API server hears of the address a second later, when the kubelet looks again: too
// late for "isolated before it starts", and for a pod's first question to DNS.
const cniResults = "/var/lib/cni/results"

// sandbox is one of libcni's files: whose it is, by namespace, name and (not in every runtime) UID, and its address.
type sandbox struct {
	pod     string
	uid     string
	address netip.Addr
	made    time.Time
}

// addressBook says which address the sandbox of a pod has, by "namespace/name".
type addressBook map[string]sandbox

// newAddressBook keeps of several sandboxes of one pod the latest, and of several that show one address as well:
// a file may have been left by a sandbox that is gone.
func newAddressBook(sandboxes []sandbox) addressBook {
	latestFirst := slices.SortedFunc(slices.Values(sandboxes), func(a, b sandbox) int {
		return cmp.Or(b.made.Compare(a.made), cmp.Compare(a.pod, b.pod))
	})
	book, taken := addressBook{}, map[netip.Addr]bool{}
	for _, s := range latestFirst {
		if _, known := book[s.pod]; !known && !taken[s.address] {
			book[s.pod] = s
			taken[s.address] = true
		}
	}
	return book
}

// readSandboxes reads all files of a folder; one that is being written has its next change seen as well.
func readSandboxes(folder string) []sandbox {
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	var found []sandbox
	for _, file := range files {
		text, err := os.ReadFile(file)
		status, failed := os.Stat(file)
		if err != nil || failed != nil {
			continue
		}
		if s, ok := parseSandbox(text); ok {
			s.made = status.ModTime()
			found = append(found, s)
		}
	}
	return found
}

// parseSandbox reads one file (cniCacheV1 of libcni); false for what is not a pod's, or not whole.
func parseSandbox(text []byte) (sandbox, bool) {
	var kept struct {
		CNIArgs [][2]string `json:"cniArgs"`
		Result  struct {
			IPs []struct {
				Address netip.Prefix `json:"address"`
			} `json:"ips"`
		} `json:"result"`
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return sandbox{}, false
	}
	arguments := map[string]string{}
	for _, pair := range kept.CNIArgs {
		arguments[pair[0]] = pair[1]
	}
	s := sandbox{
		pod: arguments["K8S_POD_NAMESPACE"] + "/" + arguments["K8S_POD_NAME"],
		uid: arguments["K8S_POD_UID"],
	}
	for _, ip := range kept.Result.IPs {
		if ip.Address.Addr().Is4() && !ip.Address.Addr().IsLoopback() { // a pod's "lo" has a file of its own
			s.address = ip.Address.Addr()
		}
	}
	return s, s.address.IsValid() && arguments["K8S_POD_NAME"] != ""
}

// watchFolder fires on every change in a folder, until the context ends.
func watchFolder(ctx context.Context, folder string, changes changed) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	if err := watcher.Add(folder); err != nil {
		return err
	}
	go func() {
		defer watcher.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-watcher.Events:
			case err := <-watcher.Errors: // an overflow: something did change
				slog.Warn("folder watch", "folder", folder, "error", err)
			}
			changes.fire()
		}
	}()
	return nil
}
