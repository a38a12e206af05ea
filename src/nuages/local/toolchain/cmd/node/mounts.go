package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// mountAll turns the copied mount table into the node's own: the host's later mounts and unmounts still arrive
// (otherwise a host could not unmount what it had mounted before), ours stay here, and pods may share theirs.
func mountAll(mounts []Mount) error {
	for _, propagation := range []uintptr{syscall.MS_SLAVE, syscall.MS_SHARED} {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|propagation, ""); err != nil {
			return fmt.Errorf("propagation of /: %w", err)
		}
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("/proc: %w", err)
	}
	sources := make([]*os.File, len(mounts))
	for i, mount := range mounts {
		if mount.Source == "" {
			continue
		}
		source, err := os.Open(mount.Source)
		if err != nil {
			return err
		}
		defer source.Close()
		sources[i] = source
	}
	for i, mount := range mounts {
		if err := os.MkdirAll(mount.Target, 0o755); err != nil {
			return err
		}
		var err error
		if source := sources[i]; source == nil {
			err = syscall.Mount("tmpfs", mount.Target, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755")
		} else {
			err = syscall.Mount(fmt.Sprintf("/proc/self/fd/%d", source.Fd()), mount.Target, "", syscall.MS_BIND, "")
		}
		if err == nil {
			err = syscall.Mount("", mount.Target, "", syscall.MS_SHARED, "")
		}
		if err != nil {
			return fmt.Errorf("mount on %s: %w", mount.Target, err)
		}
	}
	return nil
}

func setSysctls(sysctls []Sysctl) error {
	for _, sysctl := range sysctls {
		path := filepath.Join("/proc/sys", sysctl.Name)
		if err := os.WriteFile(path, []byte(sysctl.Value), 0o644); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
