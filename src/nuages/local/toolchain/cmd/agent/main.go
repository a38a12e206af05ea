// Command agent gives the local node what a cloud's network would: policies that are enforced, load balancers that
// have an address, and ports that answer on the machine itself.
//
//	agent policies      --kubeconfig F                       in the node's network namespace: NetworkPolicies -> nftables
//	agent loadbalancers --kubeconfig F --pool FIRST-LAST     anywhere: an address for each Service of type LoadBalancer
//	agent node          --kubeconfig F --pool FIRST-LAST     both of these in one process
//	agent hostports     --kubeconfig F --node ADDRESS        in the machine's network namespace: 127.0.0.1:port -> the node
//
// It logs key=value lines to stderr and ends cleanly, with 0, on SIGTERM. What it has set up in the kernel stays.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// options are the flags of all modes; each mode reads its own.
type options struct {
	kubeconfig string
	pods       netip.Prefix
	pool       pool
	node       netip.Addr
}

// job is one thing the agent does until its context ends.
type job func(context.Context, kubernetes.Interface, options) error

var modes = map[string][]job{
	"policies":      {enforcePolicies},
	"loadbalancers": {assignAddresses},
	"node":          {enforcePolicies, assignAddresses},
	"hostports":     {forwardHostPorts},
}

func main() {
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: agent policies|loadbalancers|node|hostports --kubeconfig FILE [flags]")
		os.Exit(2)
	}
	options := parse(os.Args[1], os.Args[2:])
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	klog.SetSlogLogger(slog.Default())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, modes[os.Args[1]], options); err != nil {
		slog.Error("agent ended", "error", err)
		os.Exit(1)
	}
}

// parse reads the flags of one mode; a wrong or missing one ends the program with 2, as flag does.
func parse(mode string, arguments []string) options {
	options := options{pods: netip.MustParsePrefix("10.244.0.0/16")}
	flags := flag.NewFlagSet("agent "+mode, flag.ExitOnError)
	flags.StringVar(&options.kubeconfig, "kubeconfig", "", "how to reach the cluster")
	flags.TextVar(&options.pods, "pods", options.pods, "the range that pods have their addresses from")
	flags.TextVar(&options.pool, "pool", options.pool, "FIRST-LAST, the addresses for load balancers")
	flags.TextVar(&options.node, "node", options.node, "the node's address, seen from this machine")
	_ = flags.Parse(arguments)

	missing := ""
	switch {
	case options.kubeconfig == "":
		missing = "--kubeconfig"
	case (mode == "node" || mode == "loadbalancers") && options.pool.size() == 0:
		missing = "--pool"
	case mode == "hostports" && !options.node.IsValid():
		missing = "--node"
	}
	if missing != "" {
		fmt.Fprintf(os.Stderr, "agent %s: %s is missing\n", mode, missing)
		os.Exit(2)
	}
	return options
}

// run does the jobs side by side until the context ends; the first one that fails ends them all.
func run(ctx context.Context, jobs []job, options options) error {
	config, err := clientcmd.BuildConfigFromFlags("", options.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100 // one agent, on its own node: no reason to wait in line for a second
	config.UserAgent = "nuages-agent"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	running, ctx := errgroup.WithContext(ctx)
	for _, job := range jobs {
		running.Go(func() error { return job(ctx, client, options) })
	}
	return running.Wait()
}
