package main

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

var update = flag.Bool("update", false, "write the golden rulesets anew; read the diff as code")

// load reads objects as the API server would hand them out.
func load(t *testing.T, into *world, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		if !bytes.Contains(document, []byte("kind:")) {
			continue
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			t.Fatal(file, err)
		}
		switch object := object.(type) {
		case *corev1.Pod:
			into.pods = append(into.pods, object)
		case *corev1.Namespace:
			into.namespaces = append(into.namespaces, object)
		case *netv1.NetworkPolicy:
			into.policies = append(into.policies, object)
		}
	}
}

func compiled(t *testing.T, w world) string {
	t.Helper()
	rules, err := compile(w, netip.MustParsePrefix("10.244.0.0/16"))
	if err != nil {
		t.Fatal(err)
	}
	return rules.String()
}

func TestPoliciesCompileToTheirGoldenRuleset(t *testing.T) {
	files, _ := filepath.Glob("testdata/policies/*.yaml")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			var w world
			load(t, &w, "testdata/world.yaml")
			load(t, &w, file)
			got := compiled(t, w)
			golden := strings.TrimSuffix(file, ".yaml") + ".nft"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; got\n%s", golden, got)
			}
			slices.Reverse(w.pods)
			slices.Reverse(w.policies)
			slices.Reverse(w.namespaces)
			if compiled(t, w) != got {
				t.Error("the order of the lists shows in the ruleset")
			}
		})
	}
}

func TestNftTakesEveryGoldenRuleset(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace of its own")
	}
	files, _ := filepath.Glob("testdata/policies/*.nft")
	for _, file := range files {
		// Twice: the second time the table is there, and is replaced.
		said, err := exec.Command("unshare", "--net", "sh", "-c", `nft -c -f "$0" && nft -f "$0" && nft -f "$0"`, file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, said)
		}
	}
}

func TestAnAddressBelongsToTheNewerPodUnlessASandboxSaysOtherwise(t *testing.T) {
	var w world
	load(t, &w, "testdata/world.yaml")
	newer := w.pods[0].DeepCopy()
	newer.Name = "newer"
	newer.CreationTimestamp.Time = newer.CreationTimestamp.AddDate(1, 0, 0)
	w.pods = append(w.pods, newer)
	address := netip.MustParseAddr(newer.Status.PodIP)
	for want, sandboxes := range map[string]addressBook{
		"newer": nil,
		"web-1": {"blog/web-1": {pod: "blog/web-1", address: address}},
	} {
		for _, pod := range networked(w.pods, sandboxes) {
			if pod.address == address && pod.name != want {
				t.Errorf("%s has it, not %s", pod.name, want)
			}
		}
	}
}

func TestAPodIsKnownByItsSandboxBeforeTheApiServerHearsOfItsAddress(t *testing.T) {
	var w world
	load(t, &w, "testdata/world.yaml")
	for _, pod := range w.pods {
		pod.UID = types.UID(pod.Name)
	}
	find := func(sandboxes addressBook) string {
		for _, pod := range networked(w.pods, sandboxes) {
			if pod.name == "web-3" {
				return pod.address.String()
			}
		}
		return ""
	}
	box := sandbox{pod: "blog/web-3", uid: "web-3", address: netip.MustParseAddr("10.244.0.33")}
	if got := find(addressBook{box.pod: box}); got != "10.244.0.33" {
		t.Errorf("got %q", got)
	}
	box.uid = "of an earlier pod of this name"
	if got := find(addressBook{box.pod: box}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestAWrongSelectorIsAnErrorAndNoRuleset(t *testing.T) {
	var w world
	load(t, &w, "testdata/world.yaml")
	load(t, &w, "testdata/policies/deny-ingress.yaml")
	w.policies[0].Spec.PodSelector.MatchLabels = map[string]string{"no label": "!"}
	if _, err := compile(w, netip.Prefix{}); err == nil || !strings.Contains(err.Error(), "blog/deny-ingress") {
		t.Errorf("got %v", err)
	}
}

func TestLongNamesStayApartAndFitIntoNft(t *testing.T) {
	long := strings.Repeat("a", 253)
	one, two := identifier("ingress", long, "x"), identifier("ingress", long, "y")
	if one == two || len(one) > 200 {
		t.Error(one, two)
	}
}
