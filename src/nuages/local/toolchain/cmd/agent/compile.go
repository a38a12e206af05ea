package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// world is what policies are about: the cluster as the API server tells it, and the node's newest addresses.
type world struct {
	pods       []*corev1.Pod
	namespaces []*corev1.Namespace
	policies   []*netv1.NetworkPolicy
	sandboxes  addressBook // of this node
}

// compile turns the world into the ruleset that enforces its policies, by the rules of the API reference
// (https://kubernetes.io/docs/concepts/services-networking/network-policies/):
//
//   - a pod is isolated in a direction as soon as one policy for this direction selects it; then only what any of its
//     policies allows may pass; a connection must be allowed by its source's egress and by its target's ingress;
//   - replies pass with their connection, and a pod always reaches itself;
//   - pods on the host's network count as the node: policies do not select them, and do not mean them as peers;
//   - an address of a pod that is not known yet may belong to any pod: while there are policies for a direction it is
//     isolated there, so that no new pod is ever without its policies.
//
// IPv4 only: blocks of IPv6 mean nobody. The same world makes the same ruleset, whatever the order of its lists.
func compile(w world, podRange netip.Prefix) (ruleset, error) {
	namespaces := make(map[string]labels.Set, len(w.namespaces))
	for _, namespace := range w.namespaces {
		namespaces[namespace.Name] = namespace.Labels
	}
	c := compiler{pods: networked(w.pods, w.sandboxes), namespaces: namespaces, sets: map[string]set{}}
	rules := ruleset{podRange: podRange, pods: c.pods}

	policies := slices.SortedFunc(slices.Values(w.policies), func(a, b *netv1.NetworkPolicy) int { return byName(a, b) })
	for _, way := range []direction{ingress, egress} {
		chains, any, err := c.isolate(policies, way)
		if err != nil {
			return ruleset{}, err
		}
		rules.chains = append(rules.chains, chains...)
		if any {
			rules.ways = append(rules.ways, way)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.sets)) {
		rules.sets = append(rules.sets, c.sets[name])
	}
	return rules, nil
}

// isolate returns a chain for each pod that policies select for one direction, and whether any policy is about it.
func (c compiler) isolate(policies []*netv1.NetworkPolicy, way direction) (chains []chain, any bool, err error) {
	isolated := map[string]*chain{}
	for _, policy := range policies {
		allowances, applies, err := c.allowances(policy, way)
		if err != nil {
			return nil, false, fmt.Errorf("policy %s/%s: %w", policy.Namespace, policy.Name, err)
		}
		if !applies {
			continue
		}
		any = true
		selected, err := selector(&policy.Spec.PodSelector)
		if err != nil {
			return nil, false, fmt.Errorf("policy %s/%s: %w", policy.Namespace, policy.Name, err)
		}
		for _, pod := range c.pods {
			if pod.namespace != policy.Namespace || !selected.Matches(pod.labels) {
				continue
			}
			name := identifier(way.name, pod.namespace, pod.name)
			if isolated[name] == nil {
				isolated[name] = &chain{name: name, way: way, pod: pod}
			}
			isolated[name].allowances = append(isolated[name].allowances, allowances...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(isolated)) {
		chains = append(chains, *isolated[name])
	}
	return chains, any, nil
}

// pod is what policies look at in a pod.
type pod struct {
	namespace, name string
	address         netip.Addr
	labels          labels.Set
	ports           []corev1.ContainerPort
}

// networked returns the pods that have an IPv4 address of their own, by name.
// A finished pod has given its address back; of two that show the same one, the sandbox decides, then the newer pod.
func networked(pods []*corev1.Pod, sandboxes addressBook) []pod {
	type addressed struct {
		pod  pod
		sure bool
	}
	newestFirst := slices.SortedFunc(slices.Values(pods), func(a, b *corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), byName(a, b))
	})
	owners := map[netip.Addr]addressed{}
	for _, p := range newestFirst {
		if p.Spec.HostNetwork || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue
		}
		address, err := netip.ParseAddr(p.Status.PodIP)
		box, sure := sandboxes[p.Namespace+"/"+p.Name]
		if sure = sure && (box.uid == "" || box.uid == string(p.UID)); sure {
			address, err = box.address, nil
		}
		if owner, owned := owners[address]; err != nil || !address.Is4() || owned && (owner.sure || !sure) {
			continue
		}
		var ports []corev1.ContainerPort
		for _, container := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
			ports = append(ports, container.Ports...)
		}
		owners[address] = addressed{pod{p.Namespace, p.Name, address, p.Labels, ports}, sure}
	}
	var found []pod
	for _, owner := range owners {
		found = append(found, owner.pod)
	}
	slices.SortFunc(found, func(a, b pod) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return found
}

func byName(a, b metav1.Object) int {
	return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
}
