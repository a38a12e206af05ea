package main

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

// hostPortAnnotation on a Service asks for a port of 127.0.0.1 that leads to the Service's first port.
const hostPortAnnotation = "nuages.dev/host-port"

// forwardHostPorts keeps a listener on 127.0.0.1 for each port that mapping names, until the context ends.
// A connection belongs to itself: it goes on when its Service changes, and when its listener is gone.
func forwardHostPorts(ctx context.Context, client kubernetes.Interface, options options) error {
	log := slog.With("mode", "hostports")
	factory := watch(client)
	services := factory.Core().V1().Services()
	changes, err := signalOn(services.Informer())
	if err != nil {
		return err
	}
	log.Info("starting", "node", options.node)
	if !synced(ctx, factory) {
		return nil
	}
	open := newListeners(log)
	defer open.close()
	// The period is how soon a port that another program gives back is taken.
	reconcile(ctx, log, changes, 2*time.Second, func(context.Context) error {
		listed, err := services.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		open.become(mapping(listed, options.node))
		return nil
	})
	return nil
}

// target is where a port of 127.0.0.1 leads, and for whom.
type target struct {
	address string
	service string
}

// mapping says where each port of 127.0.0.1 leads: every NodePort to itself, then the ports that annotations ask for,
// then the ports of load balancers. A port that two want belongs to the older Service. TCP only.
func mapping(services []*corev1.Service, node netip.Addr) map[int]target {
	oldest := slices.SortedFunc(slices.Values(services), func(a, b *corev1.Service) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), byName(a, b))
	})
	targets := map[int]target{}
	lead := func(port int, service *corev1.Service, to corev1.ServicePort) {
		if address := reach(service, to, node); targets[port].address == "" && address != "" {
			targets[port] = target{address, key(service)}
		}
	}
	for _, service := range oldest {
		for _, port := range tcpPorts(service) {
			if port.NodePort > 0 {
				lead(int(port.NodePort), service, port)
			}
		}
	}
	for _, service := range oldest {
		asked, err := strconv.ParseUint(service.Annotations[hostPortAnnotation], 10, 16)
		if tcp := tcpPorts(service); err == nil && asked > 0 && len(tcp) > 0 {
			lead(int(asked), service, tcp[0])
		}
	}
	for _, service := range oldest {
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
			continue
		}
		for _, port := range tcpPorts(service) {
			lead(int(port.Port), service, port)
		}
	}
	return targets
}

func tcpPorts(service *corev1.Service) []corev1.ServicePort {
	return slices.DeleteFunc(slices.Clone(service.Spec.Ports), func(port corev1.ServicePort) bool {
		return port.Protocol != corev1.ProtocolTCP
	})
}

// reach is the address at which this machine reaches a Service's port: the NodePort, else the load balancer's address;
// none where it has neither, as the addresses of ClusterIP services exist inside the node alone.
func reach(service *corev1.Service, port corev1.ServicePort, node netip.Addr) string {
	if port.NodePort > 0 {
		return net.JoinHostPort(node.String(), strconv.Itoa(int(port.NodePort)))
	}
	if address := current(service); address.IsValid() {
		return net.JoinHostPort(address.String(), strconv.Itoa(int(port.Port)))
	}
	return ""
}
