// Command kstatus says what sigs.k8s.io/cli-utils makes of Kubernetes objects, which is how Flux and others
// know that one is ready: it reads JSON objects, one per line, and answers each with one line: the name of its
// status, a tab and the message.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	decoder := json.NewDecoder(os.Stdin)
	for {
		var text json.RawMessage
		err := decoder.Decode(&text)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = answer(text)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kstatus:", err)
			os.Exit(1)
		}
	}
}

// answer prints the line for one object.
func answer(text []byte) error {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return err
	}
	result, err := status.Compute(object)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\t%s\n", result.Status, strings.ReplaceAll(result.Message, "\n", " "))
	return err
}
