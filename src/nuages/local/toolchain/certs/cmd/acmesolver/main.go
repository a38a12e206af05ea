// acmesolver answers one HTTP-01 challenge of an ACME server, as cert-manager starts it.
package main

import (
	"flag"
	"log"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

func main() {
	answer := new(solver.HTTP01Solver)
	flag.IntVar(&answer.ListenPort, "listen-port", 8089, "the port to listen on")
	flag.StringVar(&answer.Domain, "domain", "", "the domain to verify")
	flag.StringVar(&answer.Token, "token", "", "the challenge's token")
	flag.StringVar(&answer.Key, "key", "", "what to answer it with")
	flag.Parse()
	log.Fatal(answer.Listen(logf.Log))
}
