package main

import (
	"net/netip"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func exposes(number, node int32) func(*corev1.Service) {
	return func(s *corev1.Service) {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Protocol: corev1.ProtocolTCP, Port: number, NodePort: node})
	}
}

func annotated(port string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Annotations = map[string]string{hostPortAnnotation: port} }
}

func nodePort(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeNodePort }

func udp(s *corev1.Service) {
	s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Protocol: corev1.ProtocolUDP, Port: 53, NodePort: 30053})
}

func TestPortsOfThisMachine(t *testing.T) {
	cases := []struct {
		name     string
		services []*corev1.Service
		want     map[int]string
	}{
		{"a NodePort", []*corev1.Service{balancer("a", 1, nodePort, exposes(80, 30080))},
			map[int]string{30080: "10.0.0.2:30080"}},
		{"a load balancer", []*corev1.Service{balancer("a", 1, exposes(80, 30080))},
			map[int]string{30080: "10.0.0.2:30080", 80: "10.0.0.2:30080"}},
		{"a load balancer without NodePorts", []*corev1.Service{balancer("a", 1, exposes(80, 0), has("10.0.0.128"))},
			map[int]string{80: "10.0.0.128:80"}},
		{"a load balancer without anything yet", []*corev1.Service{balancer("a", 1, exposes(80, 0))}, map[int]string{}},
		{"inside the cluster", []*corev1.Service{balancer("a", 1, clusterIP, exposes(80, 0), annotated("8080"))}, map[int]string{}},
		{"UDP", []*corev1.Service{balancer("a", 1, udp)}, map[int]string{}},
		{"an annotation means the first TCP port",
			[]*corev1.Service{balancer("a", 1, nodePort, udp, exposes(80, 30080), exposes(443, 30443), annotated("8080"))},
			map[int]string{30080: "10.0.0.2:30080", 30443: "10.0.0.2:30443", 8080: "10.0.0.2:30080"}},
		{"an annotation that is no port", []*corev1.Service{balancer("a", 1, nodePort, exposes(80, 30080), annotated("http"))},
			map[int]string{30080: "10.0.0.2:30080"}},
		{"wanted by two", []*corev1.Service{balancer("new", 1, exposes(80, 30081)), balancer("old", 9, exposes(80, 30080))},
			map[int]string{30080: "10.0.0.2:30080", 30081: "10.0.0.2:30081", 80: "10.0.0.2:30080"}},
		{"a NodePort before all else",
			[]*corev1.Service{balancer("old", 9, exposes(30081, 30080)), balancer("new", 1, nodePort, exposes(80, 30081))},
			map[int]string{30080: "10.0.0.2:30080", 30081: "10.0.0.2:30081"}},
	}
	for _, c := range cases {
		got := map[int]string{}
		for port, to := range mapping(c.services, netip.MustParseAddr("10.0.0.2")) {
			got[port] = to.address
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
