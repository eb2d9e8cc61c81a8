package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// What the server gives to folders of a bundle, less its umask; a file has the
// mode that the archive says.
const folderMode = 0o744

var pluginID = regexp.MustCompile(`^[a-zA-Z0-9._-]{3,190}$`)

type manifest struct {
	ID               string `json:"id"`
	MinServerVersion string `json:"min_server_version"`
	Server           *struct {
		Executable  string            `json:"executable"`
		Executables map[string]string `json:"executables"`
	} `json:"server"`
}

// install unpacks an uploaded bundle and puts it where the server keeps its
// plugins, below the plugin's id.
func (h *host) install(params struct {
	Bundle    string `json:"bundle"`
	Directory string `json:"directory"`
}) (any, error) {
	scratch, err := os.MkdirTemp("", "gostock")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if err := extract(params.Bundle, scratch); err != nil {
		return nil, err
	}
	folder, err := pluginFolder(scratch)
	if err != nil {
		return nil, err
	}
	about, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	target := filepath.Join(params.Directory, about.ID)
	if err := os.RemoveAll(target); err != nil {
		return nil, err
	}
	if err := copyFolder(folder, target); err != nil {
		return nil, err
	}
	return map[string]any{"plugin": target}, nil
}

// extract makes folders and regular files; links and everything else are left
// out, and a path that leads out ends it.
func extract(bundle, target string) error {
	file, err := os.Open(bundle)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	archive := tar.NewReader(unzipped)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.Join(target, header.Name)
		if path != target && !strings.HasPrefix(path, target+string(filepath.Separator)) {
			return fmt.Errorf("%s leads out of the bundle", header.Name)
		}
		switch header.Typeflag {
		case tar.TypeDir:
			// The one that it is in must be there.
			if err = os.Mkdir(path, folderMode); errors.Is(err, fs.ErrExist) {
				err = nil
			}
		case tar.TypeReg:
			if err = os.MkdirAll(filepath.Dir(path), folderMode); err == nil {
				err = writeFile(path, archive, header.FileInfo().Mode().Perm())
			}
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(path string, content io.Reader, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// pluginFolder is the folder at the top of a bundle, or the bundle itself.
func pluginFolder(unpacked string) (string, error) {
	entries, err := os.ReadDir(unpacked)
	if err != nil {
		return "", err
	}
	if len(entries) == 1 && entries[0].IsDir() {
		return filepath.Join(unpacked, entries[0].Name()), nil
	}
	return unpacked, nil
}

func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(target, info.Mode().Perm())
		}
		source, err := os.Open(path)
		if err != nil {
			return err
		}
		defer source.Close()
		return writeFile(target, source, info.Mode().Perm())
	})
}

func readManifest(folder string) (*manifest, error) {
	for _, name := range []string{"plugin.yml", "plugin.yaml"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return nil, fmt.Errorf("%s hides plugin.json, and is not read here", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "plugin.json"))
	if err != nil {
		return nil, err
	}
	var about manifest
	if err := json.Unmarshal(text, &about); err != nil {
		return nil, err
	}
	about.ID = strings.ToLower(about.ID)
	if !pluginID.MatchString(about.ID) {
		return nil, fmt.Errorf("%q is no plugin id", about.ID)
	}
	return &about, nil
}

// executable is the program for this machine.
func (m *manifest) executable(folder string) (string, error) {
	if m.Server == nil {
		return "", errors.New("the plugin has no part for the server")
	}
	name := m.Server.Executables[runtime.GOOS+"-"+runtime.GOARCH]
	if name == "" {
		name = m.Server.Executable
	}
	if name == "" {
		return "", fmt.Errorf("backend executable not found for environment: %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	name = filepath.Clean(name)
	if strings.HasPrefix(name, "..") {
		return "", fmt.Errorf("invalid backend executable: %s", name)
	}
	return filepath.Join(folder, name), nil
}

// requireVersion refuses a plugin for later servers. Versions have three numbers.
func (m *manifest) requireVersion(server string) error {
	if m.MinServerVersion == "" {
		return nil
	}
	var wanted, have [3]int
	for text, version := range map[string]*[3]int{m.MinServerVersion: &wanted, server: &have} {
		if _, err := fmt.Sscanf(text, "%d.%d.%d", &version[0], &version[1], &version[2]); err != nil {
			return fmt.Errorf("%q is no version: %w", text, err)
		}
	}
	for i := range wanted {
		if wanted[i] != have[i] {
			if wanted[i] > have[i] {
				return fmt.Errorf("the plugin needs a server from %s on", m.MinServerVersion)
			}
			break
		}
	}
	return nil
}

func checksum(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}
