package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

// bridgeFilter is the sysctl (of br_netfilter, one in each network namespace) that shows bridged packets to nftables'
// forward hook; without it, pods of one node reach each other whatever the policies say.
const bridgeFilter = "/proc/sys/net/bridge/bridge-nf-call-iptables"

// enforcePolicies keeps the kernel's table what compile makes of the cluster, until the context ends.
// It fails closed: rules of an earlier run stand until the first whole view of the cluster, and stay when it ends.
func enforcePolicies(ctx context.Context, client kubernetes.Interface, options options) error {
	log := slog.With("mode", "policies")
	if err := os.WriteFile(bridgeFilter, []byte("1"), 0); err != nil {
		log.Error("policies do NOT hold between pods of this node: load the kernel module br_netfilter", "error", err)
	}
	factory := watch(client)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changes, err := signalOn(pods.Informer(), namespaces.Informer(), policies.Informer())
	if err != nil {
		return err
	}
	if err := watchFolder(ctx, cniResults, changes); err != nil {
		return err
	}
	log.Info("starting", "family", "ipv4", "table", table)
	if !synced(ctx, factory) {
		return nil
	}
	written := ""
	reconcile(ctx, log, changes, time.Minute, func(ctx context.Context) error {
		now := world{sandboxes: newAddressBook(readSandboxes(cniResults))}
		var failed [3]error
		now.pods, failed[0] = pods.Lister().List(labels.Everything())
		now.namespaces, failed[1] = namespaces.Lister().List(labels.Everything())
		now.policies, failed[2] = policies.Lister().List(labels.Everything())
		if err := errors.Join(failed[:]...); err != nil {
			return err
		}
		rules, err := compile(now, options.pods)
		if err != nil {
			return err
		}
		text := rules.String()
		if text == written && nft(ctx, "", "list", "chain", "ip", table, "forward") == nil {
			return nil
		}
		if err := nft(ctx, text, "-f", "-"); err != nil {
			return err
		}
		written = text
		log.Info("rules written", "policies", len(now.policies), "pods", len(rules.pods), "chains", len(rules.chains))
		return nil
	})
	return nil
}

// nft runs nft with the input; its error carries what nft said.
func nft(ctx context.Context, input string, arguments ...string) error {
	command := exec.CommandContext(ctx, "nft", arguments...)
	command.Stdin = strings.NewReader(input)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}
