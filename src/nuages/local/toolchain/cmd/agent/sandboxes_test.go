package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// As containerd 1.6 leaves it, without the parts that nobody here reads.
const cniResult = `{"kind":"cniCacheV1","containerId":"0f1e","ifName":"eth0","networkName":"nuages",
"cniArgs":[["IgnoreUnknown","1"],["K8S_POD_NAMESPACE","blog"],["K8S_POD_NAME","web-1"],["K8S_POD_UID","u-1"]],
"result":{"cniVersion":"0.4.0","interfaces":[{"name":"cni0"}],
"ips":[{"version":"4","interface":2,"address":"10.244.0.5/24","gateway":"10.244.0.1"}]}}`

func TestASandboxIsReadFromWhatLibcniKept(t *testing.T) {
	got, ok := parseSandbox([]byte(cniResult))
	want := sandbox{pod: "blog/web-1", uid: "u-1", address: netip.MustParseAddr("10.244.0.5")}
	if !ok || got != want {
		t.Errorf("got %v", got)
	}
	loopback := strings.ReplaceAll(cniResult, "10.244.0.5/24", "127.0.0.1/8")
	for _, other := range []string{loopback, "", cniResult[:80], "{}", `{"cniArgs":[["K8S_POD_NAME","x"]]}`} {
		if got, ok := parseSandbox([]byte(other)); ok {
			t.Errorf("%q was read as %v", other, got)
		}
	}
}

func TestTheLatestSandboxCountsForItsPodAndForItsAddress(t *testing.T) {
	at := func(pod, address string, minute int) sandbox {
		return sandbox{pod: pod, address: netip.MustParseAddr(address), made: time.Unix(int64(60*minute), 0)}
	}
	book := newAddressBook([]sandbox{
		at("blog/web", "10.0.0.5", 1), at("blog/web", "10.0.0.6", 2), at("blog/other", "10.0.0.6", 1), at("blog/third", "10.0.0.5", 3),
	})
	if len(book) != 2 || book["blog/web"].address.String() != "10.0.0.6" || book["blog/third"].address.String() != "10.0.0.5" {
		t.Error(book)
	}
}

func TestANewSandboxIsHeardOf(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "results")
	changes := make(changed, 1)
	if err := watchFolder(t.Context(), folder, changes); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "nuages-0f1e-eth0"), []byte(cniResult), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changes:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was heard")
	}
	for len(readSandboxes(folder)) != 1 {
		<-changes
	}
}
