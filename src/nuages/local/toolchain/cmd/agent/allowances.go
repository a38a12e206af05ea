package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// direction is one of the two ways a policy looks: which address of a packet is the selected pod's, which the peer's.
type direction struct{ name, self, peer string }

var (
	ingress = direction{"ingress", "daddr", "saddr"}
	egress  = direction{"egress", "saddr", "daddr"}
)

// compiler resolves selectors and named ports against one world, and collects the sets that rules refer to.
type compiler struct {
	pods       []pod
	namespaces map[string]labels.Set
	sets       map[string]set
}

// rule is what ingress and egress rules have in common.
type rule struct {
	peers []netv1.NetworkPolicyPeer
	ports []netv1.NetworkPolicyPort
}

// rulesOf returns a policy's rules for one direction, and whether it is about that direction at all.
// Without policyTypes a policy is about ingress, and about egress when it has a rule for it (as the API reference says).
func rulesOf(policy *netv1.NetworkPolicy, way direction) ([]rule, bool) {
	var rules []rule
	types := policy.Spec.PolicyTypes
	if way == ingress {
		for _, r := range policy.Spec.Ingress {
			rules = append(rules, rule{r.From, r.Ports})
		}
		return rules, len(types) == 0 || slices.Contains(types, netv1.PolicyTypeIngress)
	}
	for _, r := range policy.Spec.Egress {
		rules = append(rules, rule{r.To, r.Ports})
	}
	if len(types) == 0 {
		return rules, len(rules) > 0
	}
	return rules, slices.Contains(types, netv1.PolicyTypeEgress)
}

// allowances returns the matches of packets that a policy lets through in one direction, and whether it is about it.
// An empty list of peers means everybody, an empty list of ports every protocol; no rule at all means nobody.
func (c compiler) allowances(policy *netv1.NetworkPolicy, way direction) (matches []string, applies bool, err error) {
	rules, applies := rulesOf(policy, way)
	if !applies {
		return nil, false, nil
	}
	for number, rule := range rules {
		from := ""
		if len(rule.peers) > 0 {
			elements, err := c.peers(policy.Namespace, rule.peers)
			if err != nil {
				return nil, true, err
			}
			peers := set{
				name:     identifier(way.name+"-peers", policy.Namespace, policy.Name, fmt.Sprint(number)),
				typed:    "ipv4_addr",
				interval: true,
				elements: elements,
			}
			c.sets[peers.name] = peers
			from = fmt.Sprintf("ip %s @%s ", way.peer, peers.name)
		}
		for _, to := range c.ports(rule.ports) {
			matches = append(matches, from+to)
		}
	}
	return matches, true, nil
}

// peers returns the addresses that a list of peers means, as elements of a set.
func (c compiler) peers(namespace string, peers []netv1.NetworkPolicyPeer) ([]string, error) {
	var spans []span
	for _, peer := range peers {
		found, err := c.selected(namespace, peer)
		if peer.IPBlock != nil {
			found, err = block(peer.IPBlock)
		}
		if err != nil {
			return nil, err
		}
		spans = append(spans, found...)
	}
	var elements []string
	for _, s := range union(spans) {
		elements = append(elements, addresses(s))
	}
	return elements, nil
}

// selected returns the addresses of the pods that a peer's selectors mean: without a namespaceSelector those of the
// policy's own namespace, without a podSelector all pods of the selected namespaces.
func (c compiler) selected(namespace string, peer netv1.NetworkPolicyPeer) ([]span, error) {
	if peer.PodSelector == nil && peer.NamespaceSelector == nil {
		return nil, nil
	}
	pods, err := selector(peer.PodSelector)
	if err != nil {
		return nil, err
	}
	namespaces, err := selector(peer.NamespaceSelector)
	if err != nil {
		return nil, err
	}
	var found []span
	for _, pod := range c.pods {
		inside := pod.namespace == namespace
		if peer.NamespaceSelector != nil {
			inside = namespaces.Matches(c.namespaces[pod.namespace])
		}
		if inside && pods.Matches(pod.labels) {
			found = append(found, addressSpan(pod.address))
		}
	}
	return found, nil
}

// selector reads a label selector; an absent one narrows nothing (metav1 would read it as "nothing").
func selector(wanted *metav1.LabelSelector) (labels.Selector, error) {
	if wanted == nil {
		return labels.Everything(), nil
	}
	return metav1.LabelSelectorAsSelector(wanted)
}

// block returns an ipBlock without its exceptions; one of IPv6 is nobody here.
func block(ips *netv1.IPBlock) ([]span, error) {
	prefix, err := netip.ParsePrefix(ips.CIDR)
	if err != nil || !prefix.Addr().Is4() {
		return nil, err
	}
	spans := []span{prefixSpan(prefix)}
	for _, except := range ips.Except {
		hole, err := netip.ParsePrefix(except)
		if err != nil {
			return nil, err
		}
		if hole.Addr().Is4() {
			spans = without(spans, prefixSpan(hole))
		}
	}
	return spans, nil
}

// ports returns one match for each protocol, and one for each named port, of a rule's ports.
// A name means what the target pod calls it, so it is matched together with the target's address.
func (c compiler) ports(wanted []netv1.NetworkPolicyPort) []string {
	if len(wanted) == 0 {
		return []string{""}
	}
	var whole, named []string
	numbers := map[string][]span{}
	for _, port := range wanted {
		protocol := "tcp"
		if port.Protocol != nil {
			protocol = strings.ToLower(string(*port.Protocol))
		}
		switch {
		case port.Port == nil:
			whole = append(whole, protocol)
		case port.Port.Type == intstr.String:
			named = append(named, fmt.Sprintf("ip daddr . %s dport @%s", protocol, c.named(protocol, port.Port.StrVal)))
		default:
			number := span{uint32(port.Port.IntVal), uint32(port.Port.IntVal)}
			if port.EndPort != nil {
				number.last = uint32(*port.EndPort)
			}
			numbers[protocol] = append(numbers[protocol], number)
		}
	}
	var matches []string
	for _, protocol := range []string{"tcp", "udp", "sctp"} {
		switch {
		case slices.Contains(whole, protocol):
			matches = append(matches, "meta l4proto "+protocol)
		case len(numbers[protocol]) > 0:
			var elements []string
			for _, s := range union(numbers[protocol]) {
				elements = append(elements, ports(s))
			}
			matches = append(matches, fmt.Sprintf("%s dport { %s }", protocol, strings.Join(elements, ", ")))
		}
	}
	return append(matches, named...)
}

// named makes the set of all (address, port) pairs that pods call by this name, and returns the set's name.
func (c compiler) named(protocol, port string) string {
	pairs := set{name: identifier("port", protocol, port), typed: "ipv4_addr . inet_service"}
	for _, pod := range c.pods {
		for _, exposed := range pod.ports {
			same := strings.EqualFold(string(exposed.Protocol), protocol) || exposed.Protocol == "" && protocol == "tcp"
			if pair := fmt.Sprintf("%s . %d", pod.address, exposed.ContainerPort); exposed.Name == port && same &&
				!slices.Contains(pairs.elements, pair) {
				pairs.elements = append(pairs.elements, pair)
			}
		}
	}
	c.sets[pairs.name] = pairs
	return pairs.name
}
