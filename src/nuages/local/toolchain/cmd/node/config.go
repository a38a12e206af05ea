package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Config is what the command line wrote for one cluster; paths are the host's until the mounts are done.
type Config struct {
	Namespaces bool        `json:"namespaces"` // own PID, mount, network and host-name namespaces (needs root)
	Hostname   string      `json:"hostname"`
	Directory  string      `json:"directory"` // where logs/ and components.json are written, as seen by the host
	Mounts     []Mount     `json:"mounts"`
	Sysctls    []Sysctl    `json:"sysctls"` // of the network namespace
	Components []Component `json:"components"`
}

// Mount is a bind of Source on Target, or a fresh tmpfs where Source is empty. Binds see the tree as it was before
// the first mount, so that one may take its source from below another's target.
type Mount struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// Sysctl is one file below /proc/sys and its value.
type Sysctl struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Component is one process that is started again whenever it ends.
type Component struct {
	Name  string   `json:"name"`
	Argv  []string `json:"argv"`
	Env   []string `json:"env"`   // added to the supervisor's own
	Needs []string `json:"needs"` // not started before these are ready
	Ready string   `json:"ready"` // "unix:PATH" accepts, "http(s)://..." answers 200; empty: as soon as it runs
}

func readConfig(path string) (Config, error) {
	var config Config
	content, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	if err := json.Unmarshal(content, &config); err != nil {
		return config, fmt.Errorf("%s: %w", path, err)
	}
	known := map[string]bool{}
	for _, component := range config.Components {
		known[component.Name] = true
	}
	for _, component := range config.Components {
		for _, need := range component.Needs {
			if !known[need] {
				return config, fmt.Errorf("%s needs %s, which is not in the config", component.Name, need)
			}
		}
	}
	return config, nil
}
