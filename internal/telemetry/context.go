package telemetry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"runtime"
	"strings"

	"github.com/loquat-dev/loquat/internal/version"
)

// Context is what every report says about the machine.
type Context struct {
	OS          OS            `json:"os" doc:"operating system"`
	CI          bool          `json:"ci" doc:"whether this is a CI system"`
	Project     *Hash         `json:"project" doc:"salted hash of the git remote's URL; another on every machine"`
	Python      *Version      `json:"python" doc:"always null: there is no Python in the program"`
	RasaPro     Version       `json:"rasa_pro" doc:"the version of Rasa whose behaviour is followed"`
	CPU         Count         `json:"cpu" doc:"number of logical processors"`
	Docker      bool          `json:"docker" doc:"whether this is a container"`
	LicenseHash *Hash         `json:"license_hash" doc:"null, or the SHA-256 of the key that the operator set on purpose"`
	Company     *Organisation `json:"company" doc:"null, or the name that the operator set on purpose"`
	GPU         Count         `json:"gpu" doc:"number of graphics processors that can compute"`
	Cloud       bool          `json:"cloud" doc:"whether the machine's vendor is a cloud's"`
	Loquat      Version       `json:"loquat" doc:"version of the program"`
	Schema      Count         `json:"schema" doc:"version of this catalogue"`
}

// OS is the operating system.
type OS struct {
	Name    osName  `json:"name" doc:"its name"`
	Version Version `json:"version" doc:"leading numbers of the kernel's release"`
}

// newContext describes the machine whose files are below root, without any
// network call.
func newContext(d Decision, root fs.FS) Context {
	s := d.settings
	names := map[string]string{"linux": "Linux", "darwin": "Darwin", "windows": "Windows"}
	company, license := s.organisation(d.project)
	return Context{
		OS: OS{Named[osName](names[runtime.GOOS]), versionOf(kernelRelease())}, CI: inCI(s.LookupEnv),
		Project: projectHash(d.state.Salt, s.GitRemote()), RasaPro: versionOf(version.RasaPro), CPU: runtime.NumCPU(),
		Docker: inContainer(s, root), LicenseHash: license, Company: company, GPU: countGPUs(root), Cloud: inCloud(root),
		Loquat: releaseOf(version.Loquat), Schema: SchemaSet,
	}
}

// projectHash tells projects of one machine apart. Without the salt nobody can
// find out what was hashed by trying.
func projectHash(salt, text string) *Hash {
	secret, err := hex.DecodeString(salt)
	if err != nil || len(secret) == 0 || text == "" {
		return nil
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("project\x00" + text))
	return &Hash{matched{hex.EncodeToString(mac.Sum(nil))}}
}

// ProjectHash is how reports name the project that a model was trained in, of which
// the model has the SHA-256 of the git remote's URL: as Context does, if it is the
// project in the working directory. Without a fingerprint it is null.
func (d Decision) ProjectHash(fingerprint *string) *Hash {
	if fingerprint == nil {
		return nil
	}
	if remote := d.settings.GitRemote(); remote != "" && hashOf(remote).text == *fingerprint {
		return projectHash(d.state.Salt, remote)
	}
	return projectHash(d.state.Salt, "model\x00"+*fingerprint)
}

func inContainer(s Settings, root fs.FS) bool {
	for _, mark := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, mark); err == nil {
			return true
		}
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // absent outside of Linux
	return strings.Contains(string(groups), "docker") || s.env("KUBERNETES_SERVICE_HOST") != ""
}

// countGPUs counts what the drivers of NVIDIA and AMD list.
func countGPUs(root fs.FS) int {
	nvidia, _ := fs.ReadDir(root, "proc/driver/nvidia/gpus")
	n := len(nvidia)
	nodes, _ := fs.Glob(root, "sys/class/kfd/kfd/topology/nodes/*/gpu_id")
	for _, node := range nodes {
		if id, err := fs.ReadFile(root, node); err == nil && strings.TrimSpace(string(id)) != "0" { // 0 is a processor
			n++
		}
	}
	return n
}

// cloudVendors are parts of what clouds write into the firmware's tables; the
// number is Azure's.
var cloudVendors = []string{
	"amazon ec2", "google", "7783-7084-3265-9085-8269-3286-77", "digitalocean", "hetzner", "alibaba cloud", "oraclecloud",
	"tencent cloud", "scaleway", "vultr", "linode", "akamai", "upcloud", "ovhcloud", "exoscale", "openstack", "ibm:cloud",
}

func inCloud(root fs.FS) bool {
	for _, name := range []string{"sys_vendor", "bios_vendor", "product_name", "chassis_asset_tag", "board_vendor"} {
		data, _ := fs.ReadFile(root, "sys/class/dmi/id/"+name) // absent on other systems
		for _, vendor := range cloudVendors {
			if strings.Contains(strings.ToLower(string(data)), vendor) {
				return true
			}
		}
	}
	return false
}
