package main

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const (
	// settle lets changes that come together be answered together; rest is what lies between two answers.
	// Short enough for a policy to stand before kube-proxy sends a new pod its first connection.
	settle = 20 * time.Millisecond
	rest   = 80 * time.Millisecond

	firstRetry = 200 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// changed says that something changed, never what: whoever hears it looks at the whole.
type changed chan struct{}

func (c changed) fire() {
	select {
	case c <- struct{}{}:
	default: // one is waiting to be heard already
	}
}

// watch makes a factory whose objects carry no managedFields: nobody here reads them, and they are half of the memory.
func watch(client kubernetes.Interface) informers.SharedInformerFactory {
	return informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(func(object any) (any, error) {
		if accessor, err := meta.Accessor(object); err == nil {
			accessor.SetManagedFields(nil)
		}
		return object, nil
	}))
}

// signalOn returns a signal that fires on every change of the informers' objects.
func signalOn(watched ...cache.SharedIndexInformer) (changed, error) {
	signal := make(changed, 1)
	for _, informer := range watched {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { signal.fire() },
			UpdateFunc: func(any, any) { signal.fire() },
			DeleteFunc: func(any) { signal.fire() },
		})
		if err != nil {
			return nil, err
		}
	}
	return signal, nil
}

// synced starts the factory and waits until all its caches hold the whole; false when the context ended before.
func synced(ctx context.Context, factory informers.SharedInformerFactory) bool {
	factory.Start(ctx.Done())
	for _, whole := range factory.WaitForCacheSync(ctx.Done()) {
		if !whole {
			return false
		}
	}
	return true
}

// reconcile calls act once now, after every change, and at least every period; again, ever later, while it fails.
// It returns when the context ends.
func reconcile(ctx context.Context, log *slog.Logger, changes changed, period time.Duration, act func(context.Context) error) {
	changes.fire()
	next, delay := period, firstRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			pause(ctx, settle)
		case <-time.After(next):
		}
		select {
		case <-changes: // came while we settled: this answer is for it too
		default:
		}
		if err := act(ctx); err == nil {
			next, delay = period, firstRetry
		} else if ctx.Err() == nil {
			log.Error("failed, will be tried again", "in", delay, "error", err)
			next, delay = delay, min(2*delay, lastRetry)
		}
		pause(ctx, rest)
	}
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
