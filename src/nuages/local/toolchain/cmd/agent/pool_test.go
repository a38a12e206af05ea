package main

import (
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func balancer(name string, age int, change ...func(*corev1.Service)) *corev1.Service {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "blog", Name: name}}
	service.CreationTimestamp.Time = metav1.Unix(int64(1000-age), 0).Time
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	for _, c := range change {
		c(service)
	}
	return service
}

func has(address string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}} }
}

func asks(address string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerIP = address }
}

func class(name string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.LoadBalancerClass = &name }
}

func clusterIP(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeClusterIP }

func TestAddressesOfThePool(t *testing.T) {
	type grants map[string]string // service -> address, or the reason for none
	cases := []struct {
		name     string
		pool     string
		services []*corev1.Service
		want     grants
	}{
		{"one is free", "10.0.0.8-10.0.0.8", []*corev1.Service{balancer("a", 1)}, grants{"a": "10.0.0.8"}},
		{"kept, whoever is older", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("old", 9), balancer("a", 1, has("10.0.0.8"))},
			grants{"a": "10.0.0.8", "old": "PoolExhausted"}},
		{"the oldest first", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 1), balancer("b", 9)},
			grants{"b": "10.0.0.8", "a": "PoolExhausted"}},
		{"asked for", "10.0.0.8-10.0.0.9",
			[]*corev1.Service{balancer("a", 9), balancer("b", 1, asks("10.0.0.8"))},
			grants{"b": "10.0.0.8", "a": "10.0.0.9"}},
		{"asked for, and taken", "10.0.0.8-10.0.0.9",
			[]*corev1.Service{balancer("a", 9, has("10.0.0.8")), balancer("b", 1, asks("10.0.0.8"))},
			grants{"a": "10.0.0.8", "b": "AddressTaken"}},
		{"asked for another than it has", "10.0.0.8-10.0.0.9",
			[]*corev1.Service{balancer("a", 9, has("10.0.0.8"), asks("10.0.0.9"))},
			grants{"a": "10.0.0.9"}},
		{"asked for one of another cluster", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 9, asks("192.0.2.1"))},
			grants{"a": "10.0.0.8"}},
		{"shown one of another pool", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 9, has("192.0.2.1"))},
			grants{"a": "10.0.0.8"}},
		{"shown by two", "10.0.0.8-10.0.0.9",
			[]*corev1.Service{balancer("a", 1, has("10.0.0.8")), balancer("b", 9, has("10.0.0.8"))},
			grants{"b": "10.0.0.8", "a": "10.0.0.9"}},
		{"of our class", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 1, class(addressClass))}, grants{"a": "10.0.0.8"}},
		{"of another class", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 1, class("example.com/x"), has("10.0.0.8")), balancer("b", 1)},
			grants{"b": "10.0.0.8"}},
		{"no load balancer any more", "10.0.0.8-10.0.0.8",
			[]*corev1.Service{balancer("a", 9, has("10.0.0.8"), clusterIP), balancer("b", 1)},
			grants{"b": "10.0.0.8"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var from pool
			if err := from.UnmarshalText([]byte(c.pool)); err != nil {
				t.Fatal(err)
			}
			got := allocate(c.services, from)
			if len(got) != len(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for name, want := range c.want {
				given := got["blog/"+name]
				if given.address.IsValid() && given.address.String() != want || !given.address.IsValid() && given.reason != want {
					t.Errorf("%s: got %v, want %s", name, given, want)
				}
			}
		})
	}
}

func TestAServiceMadeAgainHasTheAddressItHad(t *testing.T) {
	var from pool
	if err := from.UnmarshalText([]byte("10.0.0.128-10.0.0.254")); err != nil {
		t.Fatal(err)
	}
	first := allocate([]*corev1.Service{balancer("a", 9), balancer("b", 8)}, from)
	again := allocate([]*corev1.Service{balancer("b", 8), balancer("a", 1)}, from)
	if first["blog/a"] != again["blog/a"] || first["blog/a"] == first["blog/b"] {
		t.Error(first, again)
	}
}

func TestAPoolIsFirstToLast(t *testing.T) {
	for _, wrong := range []string{"", "10.0.0.1", "10.0.0.9-10.0.0.1", "a-b", "fd00::1-fd00::9"} {
		var from pool
		if err := from.UnmarshalText([]byte(wrong)); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	var from pool
	if err := from.UnmarshalText([]byte("10.0.0.8-10.0.0.9")); err != nil || from.size() != 2 {
		t.Error(from, err)
	}
	if from.contains(netip.MustParseAddr("10.0.0.10")) || !from.contains(netip.MustParseAddr("10.0.0.9")) {
		t.Error("its bounds are off")
	}
}
