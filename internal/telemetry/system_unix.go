//go:build unix

package telemetry

import "golang.org/x/sys/unix"

// kernelRelease is the release of the operating system's kernel.
func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
