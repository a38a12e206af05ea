package main

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// table is the one nftables table that the agent owns.
const table = "nuages-policies"

// ruleset is what nft is given: which packets of which pods may pass.
type ruleset struct {
	podRange netip.Prefix
	pods     []pod
	ways     []direction // the directions that any policy is about
	sets     []set
	chains   []chain
}

// set is a named set of addresses, or of pairs of an address and a port.
type set struct {
	name, typed string
	interval    bool
	elements    []string
}

// chain decides on the packets of one pod in one direction: what matches an allowance goes on, the rest is dropped.
type chain struct {
	name       string
	way        direction
	pod        pod
	allowances []string
}

// identifier names a set or a chain; the slash keeps namespace a, policy b-c apart from namespace a-b, policy c.
// nft takes 255 characters, and Kubernetes names may be longer together: then the end becomes a hash of the whole.
func identifier(parts ...string) string {
	name := strings.Join(parts, "/")
	if len(name) <= 200 {
		return name
	}
	return fmt.Sprintf("%s-%x", name[:180], sha256.Sum256([]byte(name)))[:200]
}

// String writes the ruleset as one transaction: the table is replaced as a whole or, on an error, not touched.
func (r ruleset) String() string {
	var text strings.Builder
	line := func(format string, arguments ...any) { fmt.Fprintf(&text, format+"\n", arguments...) }

	line("table ip %s", table)
	line("delete table ip %s", table)
	line("table ip %s {", table)
	for _, s := range append([]set{r.known()}, r.sets...) {
		line("\tset %s {", s.name)
		line("\t\ttype %s", s.typed)
		if s.interval {
			line("\t\tflags interval")
		}
		elements(line, s.elements)
		line("\t}")
	}
	for _, way := range []direction{egress, ingress} {
		line("\tmap %s {", way.name)
		line("\t\ttype ipv4_addr : verdict")
		elements(line, r.jumps(way))
		line("\t}")
	}
	r.base(line)
	for _, c := range r.chains {
		line("\tchain %s {", c.name)
		line("\t\tip %s %s return", c.way.peer, c.pod.address)
		for _, allowed := range c.allowances {
			line("\t\t%s", strings.TrimSpace(strings.TrimSpace(allowed)+" return"))
		}
		line("\t\tcounter drop")
		line("\t}")
	}
	line("}")
	return text.String()
}

// base writes the chain that every forwarded packet passes. It comes after kube-proxy's rewriting of Service addresses
// (prerouting), so targets are pods, and before its masquerading (postrouting), so sources are the true ones.
// What the node itself sends, a kubelet's probe, is not forwarded and never comes here.
func (r ruleset) base(line func(string, ...any)) {
	line("\tchain forward {")
	line("\t\ttype filter hook forward priority -10; policy accept;")
	line("\t\tct state established,related accept")
	for _, way := range []direction{egress, ingress} {
		if slices.Contains(r.ways, way) {
			line("\t\tip %s %s ip %s != @pods counter drop", way.self, r.podRange, way.self)
		}
		line("\t\tip %s vmap @%s", way.self, way.name)
	}
	line("\t}")
}

// known is the set of all pods' addresses.
func (r ruleset) known() set {
	pods := set{name: "pods", typed: "ipv4_addr"}
	for _, pod := range r.pods {
		pods.elements = append(pods.elements, pod.address.String())
	}
	return pods
}

// jumps leads from a pod's address to its chain.
func (r ruleset) jumps(way direction) []string {
	var jumps []string
	for _, c := range r.chains {
		if c.way == way {
			jumps = append(jumps, fmt.Sprintf("%s : jump %s", c.pod.address, c.name))
		}
	}
	return jumps
}

func elements(line func(string, ...any), elements []string) {
	if len(elements) > 0 {
		line("\t\telements = { %s }", strings.Join(elements, ", "))
	}
}
