// Writes the golden table of the formula language: formulas, the values of their triggers, and what the real library
// makes of them. See README.md.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

//go:embed handwritten.txt
var handwritten string

var names = []string{"a", "b", "c", "d", "my-queue"}

// nil stands for a trigger without a value.
var environments = []map[string]any{
	{"a": 3.0, "b": 5.0, "c": 0.0, "d": 2.5, "my-queue": 7.0},
	{"a": 0.0, "b": 1.0, "c": 10.0, "d": -2.5, "my-queue": 0.0},
	{"a": 100.0, "b": 0.1, "c": 0.2, "d": 0.3, "my-queue": 1e6},
	{"a": -7.0, "b": 1e308, "c": 12345.678, "d": 1e-9, "my-queue": -1.0},
	{"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "my-queue": 5.0},
	{"a": nil, "b": 2.0, "c": 9007199254740993.0, "d": 0.5, "my-queue": nil},
	{"a": 8.0, "b": nil, "c": nil, "d": 1e19, "my-queue": 3.0},
}

type row struct {
	Formula string
	Results [][2]any
}

// What KEDA makes of a formula before it compiles it.
func wrapped(formula string) string {
	const variable = "_kedaCompositeResult"
	switch {
	case strings.Contains(formula, "??"):
		if strings.HasPrefix(formula, "let "+variable+" = ") {
			return formula
		}
		return "let " + variable + " = (" + formula + "); " + variable + " == nil ? nil : float(" + variable + ")"
	case strings.HasPrefix(formula, "float("):
		return formula
	default:
		return "float(" + formula + ")"
	}
}

// The program, or why KEDA would not admit the formula.
func admit(formula string) (*vm.Program, string) {
	trial := map[string]float64{}
	for _, name := range names {
		trial[name] = -1
	}
	program, err := expr.Compile(wrapped(formula), expr.Env(trial))
	if err != nil {
		return nil, "compile"
	}
	if _, err := expr.Run(program, trial); err != nil {
		return nil, "admission"
	}
	return program, ""
}

func outcome(program *vm.Program, environment map[string]any) any {
	value, err := expr.Run(program, environment)
	if err != nil {
		return "run"
	}
	if value == nil {
		return "nil"
	}
	number, ok := value.(float64)
	switch {
	case !ok:
		return "type"
	case math.IsNaN(number), math.IsInf(number, 0):
		return strconv.FormatFloat(number, 'g', -1, 64)
	case number == 0 && math.Signbit(number):
		return "-0"
	default:
		return number
	}
}

func main() {
	seed := flag.Int64("seed", 1, "seed of the generated formulas")
	count := flag.Int("count", 3300, "number of generated formulas")
	out := flag.String("out", "../../../packages/core/src/formula/golden.jsonl", "file to write")
	flag.Parse()

	random := rand.New(rand.NewSource(*seed))
	var formulas []string
	seen := map[string]bool{}
	add := func(formula string) bool {
		if seen[formula] {
			return false
		}
		seen[formula] = true
		formulas = append(formulas, formula)
		return true
	}
	for _, line := range strings.Split(handwritten, "\n") {
		if line != "" && !strings.HasPrefix(line, "// ") {
			add(strings.ReplaceAll(line, "⏎", "\n"))
		}
	}
	fromHand := len(formulas)
	for len(formulas) < fromHand+*count {
		formula := (&generator{random: random}).formula()
		if len(formula) <= 90 {
			add(formula)
		}
	}

	var rows []row
	counts := map[string]int{}
	for index, formula := range formulas {
		program, refusal := admit(formula)
		each := row{Formula: formula}
		if program == nil {
			each.Results = [][2]any{{-1, refusal}}
			counts[refusal]++
		} else {
			environmentsOf := []int{index % len(environments), (index*3 + 1) % len(environments)}
			if index < fromHand {
				environmentsOf = nil
				for number := range environments {
					environmentsOf = append(environmentsOf, number)
				}
			}
			for _, number := range environmentsOf {
				result := outcome(program, environments[number])
				each.Results = append(each.Results, [2]any{number, result})
				if kind, ok := result.(string); ok {
					counts[kind]++
				} else {
					counts["number"]++
				}
			}
		}
		rows = append(rows, each)
	}
	if err := write(*out, *seed, fromHand, rows); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(len(rows), "formulas,", fromHand, "of them by hand:", counts)
}

// What the table is about on the first line, then one formula a line, so that a change shows where it is.
func write(path string, seed int64, fromHand int, rows []row) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffer := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	head := map[string]any{
		"library": "github.com/expr-lang/expr v1.17.8", "seed": seed, "byHand": fromHand,
		"names": names, "environments": environments,
	}
	if err := encoder.Encode(head); err != nil {
		return err
	}
	for _, each := range rows {
		if err := encoder.Encode([]any{each.Formula, each.Results}); err != nil {
			return err
		}
	}
	return buffer.Flush()
}
