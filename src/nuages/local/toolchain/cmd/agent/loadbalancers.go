package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

// assignAddresses keeps the status of each Service of type LoadBalancer what allocate decides, until the context ends.
// The addresses are written nowhere else: a deleted Service has given its back. kube-proxy makes them answer.
func assignAddresses(ctx context.Context, client kubernetes.Interface, options options) error {
	log := slog.With("mode", "loadbalancers")
	factory := watch(client)
	services := factory.Core().V1().Services()
	changes, err := signalOn(services.Informer())
	if err != nil {
		return err
	}
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	recorder := events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "nuages-loadbalancers"})

	log.Info("starting", "first", options.pool.first, "last", options.pool.last)
	if !synced(ctx, factory) {
		return nil
	}
	remarks := map[string]string{} // what was said last about a Service: nothing is said twice
	reconcile(ctx, log, changes, time.Minute, func(ctx context.Context) error {
		listed, err := services.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		grants := allocate(listed, options.pool)
		var failed error
		for _, service := range listed {
			given := grants[key(service)]
			if given.remark != remarks[key(service)] && given.remark != "" {
				log.Warn(given.remark, "service", key(service), "reason", given.reason)
				recorder.Event(service, corev1.EventTypeWarning, given.reason, given.remark)
			}
			failed = errors.Join(failed, show(ctx, log, client, service, given, options.pool))
		}
		clear(remarks)
		for name, given := range grants {
			remarks[name] = given.remark
		}
		return failed
	})
	return nil
}

// show writes a grant into a Service's status where it says something else. The status of a Service that is served by
// another class is not ours; one that is no load balancer any more loses only an address of our pool.
func show(
	ctx context.Context, log *slog.Logger, client kubernetes.Interface, service *corev1.Service, given grant, from pool,
) error {
	var ingress []corev1.LoadBalancerIngress
	if given.address.IsValid() {
		virtual := corev1.LoadBalancerIPModeVIP
		ingress = []corev1.LoadBalancerIngress{{IP: given.address.String(), IPMode: &virtual}}
	}
	shown := service.Status.LoadBalancer.Ingress
	same := len(shown) == len(ingress) && (len(shown) == 0 || shown[0].IP == ingress[0].IP &&
		shown[0].IPMode != nil && *shown[0].IPMode == corev1.LoadBalancerIPModeVIP)
	if same || !serves(service) && !from.contains(current(service)) {
		return nil
	}
	changed := service.DeepCopy()
	changed.Status.LoadBalancer.Ingress = ingress
	_, err := client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // the newer Service is about to be seen
	}
	if err == nil {
		log.Info("address written", "service", key(service), "address", given.address)
	}
	return err
}
