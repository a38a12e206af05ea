package main

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// addressClass is the loadBalancerClass that asks for this agent by name; a Service without a class is served as well.
const addressClass = "nuages.dev/local"

// pool is the closed range of addresses that Services of type LoadBalancer have theirs from.
type pool struct{ first, last netip.Addr }

// UnmarshalText reads FIRST-LAST.
func (p *pool) UnmarshalText(text []byte) error {
	first, last, _ := strings.Cut(string(text), "-")
	var read pool
	var err error
	if read.first, err = netip.ParseAddr(first); err != nil {
		return err
	}
	if read.last, err = netip.ParseAddr(last); err != nil {
		return err
	}
	if !read.first.Is4() || !read.last.Is4() || read.last.Less(read.first) {
		return fmt.Errorf("%s: not FIRST-LAST of IPv4", text)
	}
	*p = read
	return nil
}

// MarshalText writes FIRST-LAST; nothing for no pool.
func (p pool) MarshalText() ([]byte, error) {
	if p.size() == 0 {
		return nil, nil
	}
	return []byte(p.first.String() + "-" + p.last.String()), nil
}

func (p pool) size() uint32 {
	if !p.first.IsValid() {
		return 0
	}
	return addressSpan(p.last).first - addressSpan(p.first).first + 1
}

func (p pool) contains(address netip.Addr) bool {
	return p.size() > 0 && address.Is4() && !address.Less(p.first) && !p.last.Less(address)
}

// at returns the address at a place in the pool, counted round its end.
func (p pool) at(place uint32) netip.Addr {
	return netip.MustParseAddr(dotted(addressSpan(p.first).first + place%p.size()))
}

// grant is what one Service gets: an address, or the reason why it has none; sometimes an address and a remark.
type grant struct {
	address netip.Addr
	reason  string // of an Event, in CamelCase
	remark  string
}

// serves says whether a Service is one that this agent gives an address to.
func serves(service *corev1.Service) bool {
	class := service.Spec.LoadBalancerClass
	return service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.DeletionTimestamp == nil &&
		(class == nil || *class == addressClass)
}

// allocate decides which address each Service has, by "namespace/name". Whoever has one keeps it; then those who ask
// for one (spec.loadBalancerIP) are served, then the rest, the oldest first. A Service that is made again under its
// name gets the address it had, when that is free: the search for a free one starts at a place the name decides.
func allocate(services []*corev1.Service, from pool) map[string]grant {
	grants := map[string]grant{}
	taken := map[netip.Addr]string{}
	give := func(service *corev1.Service, address netip.Addr) {
		taken[address] = key(service)
		grants[key(service)] = grant{address: address}
	}
	served := slices.DeleteFunc(slices.Clone(services), func(s *corev1.Service) bool { return !serves(s) })
	slices.SortFunc(served, func(a, b *corev1.Service) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), byName(a, b))
	})
	for _, service := range served {
		has, wants := current(service), wanted(service, from)
		if from.contains(has) && taken[has] == "" && (!wants.IsValid() || wants == has) {
			give(service, has)
		}
	}
	for _, service := range served {
		wants := wanted(service, from)
		if !wants.IsValid() || grants[key(service)].address.IsValid() {
			continue
		}
		if holder := taken[wants]; holder != "" {
			remark := fmt.Sprintf("%s belongs to service %s", wants, holder)
			grants[key(service)] = grant{reason: "AddressTaken", remark: remark}
			continue
		}
		give(service, wants)
	}
	for _, service := range served {
		if _, decided := grants[key(service)]; decided {
			continue
		}
		start := fnv.New32a()
		_, _ = start.Write([]byte(key(service)))
		first := start.Sum32() % from.size()
		for place := range from.size() {
			if address := from.at(first + place); taken[address] == "" {
				give(service, address)
				break
			}
		}
		if !grants[key(service)].address.IsValid() {
			remark := fmt.Sprintf("all %d addresses of %s-%s are taken", from.size(), from.first, from.last)
			grants[key(service)] = grant{reason: "PoolExhausted", remark: remark}
		}
	}
	for _, service := range served {
		if ask := service.Spec.LoadBalancerIP; ask != "" && !wanted(service, from).IsValid() {
			given := grants[key(service)]
			if given.address.IsValid() {
				given.reason = "AddressOutsidePool"
				given.remark = fmt.Sprintf("spec.loadBalancerIP %s is not in %s-%s; %s is given",
					ask, from.first, from.last, given.address)
				grants[key(service)] = given
			}
		}
	}
	return grants
}

func key(service *corev1.Service) string { return service.Namespace + "/" + service.Name }

// current returns the address that a Service shows; none when it shows none or several.
func current(service *corev1.Service) netip.Addr {
	if shown := service.Status.LoadBalancer.Ingress; len(shown) == 1 {
		address, _ := netip.ParseAddr(shown[0].IP)
		return address
	}
	return netip.Addr{}
}

// wanted returns the address of the pool that a Service asks for. One from elsewhere does not count: the manifest was
// written for another cluster, and shall work here as well.
func wanted(service *corev1.Service, from pool) netip.Addr {
	address, err := netip.ParseAddr(service.Spec.LoadBalancerIP)
	if err != nil || !from.contains(address) {
		return netip.Addr{}
	}
	return address
}
