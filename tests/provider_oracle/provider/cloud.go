package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// The cloud of the oracle: one file of objects in the folder that ORACLE_CLOUD names. As AWS does, it drops what is
// empty and fills in what the caller left to it.
type object = map[string]any

var mutex sync.Mutex

func folder() string {
	named := os.Getenv("ORACLE_CLOUD")
	if named == "" {
		fmt.Fprintln(os.Stderr, "error: ORACLE_CLOUD is not set; name the folder that keeps the oracle's objects")
		os.Exit(2)
	}
	return named
}

func objects() map[string]object {
	found := map[string]object{}
	text, err := os.ReadFile(filepath.Join(folder(), "objects.json"))
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil && !os.IsNotExist(err) {
		panic(err)
	}
	return found
}

func keep(all map[string]object) {
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	file := filepath.Join(folder(), "objects.json")
	if err = os.WriteFile(file+".new", text, 0o600); err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		panic(err)
	}
}

func find(id string) (object, bool) {
	mutex.Lock()
	defer mutex.Unlock()
	found, ok := objects()[id]
	return found, ok
}

// add makes an object and returns its id, which is random as AWS's are.
func add(values object) string {
	mutex.Lock()
	defer mutex.Unlock()
	drawn := make([]byte, 8)
	if _, err := rand.Read(drawn); err != nil {
		panic(err)
	}
	id := hex.EncodeToString(drawn)
	all := objects()
	all[id] = values
	keep(all)
	return id
}

func put(id string, values object) {
	mutex.Lock()
	defer mutex.Unlock()
	all := objects()
	all[id] = values
	keep(all)
}

func remove(id string) {
	mutex.Lock()
	defer mutex.Unlock()
	all := objects()
	delete(all, id)
	keep(all)
}

// The next call of an operation goes wrong if the file `fault` of the folder says so: "create fail" is refused before
// anything is done, "create fail-late" is carried out and what follows fails, "create die" ends the process before the
// call and "create die-late" between the call and its reply. A fault happens once.
func fault(operation, when string) error {
	mutex.Lock()
	defer mutex.Unlock()
	file := filepath.Join(folder(), "fault")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	late := ""
	if when == "after" {
		late = "-late"
	}
	switch strings.TrimSpace(string(text)) {
	case operation + " fail" + late:
		os.Remove(file)
		return fmt.Errorf("%s: the cloud refuses", operation)
	case operation + " die" + late:
		os.Remove(file)
		os.Exit(1)
	}
	return nil
}

// called notes that the cloud was asked, for tests that count calls.
func called(operation string) {
	file, err := os.OpenFile(filepath.Join(folder(), "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	fmt.Fprintln(file, operation)
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
