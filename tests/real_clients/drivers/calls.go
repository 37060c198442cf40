// Calls a URL at an interval by net/http, one call after another, and prints each call as a line of JSON.
// calls URL EVERY COUNT
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const warmUp = "http://127.0.0.2:8080/"

// now is the machine's monotonic clock, which package time hides.
func now() float64 {
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&at)), 0)
	return float64(at.Sec) + float64(at.Nsec)/1e9
}

func call(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func main() {
	every, _ := strconv.ParseFloat(os.Args[2], 64)
	count, _ := strconv.Atoi(os.Args[3])
	client := &http.Client{Timeout: 5 * time.Second}
	call(client, warmUp)
	began := now()
	for number := 0; number < count; number++ {
		time.Sleep(time.Duration((began + float64(number)*every - now()) * float64(time.Second)))
		at, problem := now(), ""
		if err := call(client, os.Args[1]); err != nil {
			problem = err.Error()
		}
		line, _ := json.Marshal(map[string]any{"at": at, "ended": now(), "problem": problem})
		fmt.Println(string(line))
	}
}
