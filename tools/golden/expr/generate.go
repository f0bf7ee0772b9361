package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// Grows formulas at random. Most are well typed; now and then an operand of another type slips in, so that refusals
// and faults are compared too.
type generator struct {
	random *rand.Rand
	// How deep the predicates around the place are, and what # is in each.
	elements  []string
	variables []variable
	count     int
}

type variable struct{ name, kind string }

func (g *generator) pick(options ...string) string { return options[g.random.Intn(len(options))] }

func (g *generator) chance(of int) bool { return g.random.Intn(of) == 0 }

func (g *generator) formula() string {
	depth := 1 + g.random.Intn(4)
	switch g.random.Intn(14) {
	case 0:
		return g.float(depth-1) + " ?? " + g.atom("float")
	case 1:
		return "(" + g.float(depth-1) + ") ?? (" + g.float(depth-1) + ")"
	case 2:
		return "float(" + g.float(depth) + ")" + g.pick("", "", " * 2", " + "+g.atom("float"))
	case 3:
		return g.int(depth)
	case 4:
		return g.let("float", depth)
	case 5:
		return g.any(depth)
	case 6:
		return g.of(g.pick("bool", "string", "floats", "ints"), depth)
	default:
		return g.float(depth)
	}
}

// An expression of the kind, or rarely of another one.
func (g *generator) of(kind string, depth int) string {
	if g.chance(40) {
		kind = g.pick("float", "int", "bool", "string", "floats", "ints", "nil")
	}
	switch kind {
	case "float":
		return g.float(depth)
	case "int":
		return g.int(depth)
	case "bool":
		return g.bool(depth)
	case "string":
		return g.string(depth)
	case "floats":
		return g.floats(depth)
	case "ints":
		return g.ints(depth)
	default:
		return "nil"
	}
}

func (g *generator) atom(kind string) string {
	if len(g.elements) > 0 && g.elements[len(g.elements)-1] == kind && !g.chance(3) {
		return "#"
	}
	for _, each := range g.variables {
		if each.kind == kind && g.chance(2) {
			return each.name
		}
	}
	switch kind {
	case "float":
		if g.chance(40) {
			return g.pick(`$env["my-queue"]`, "$env.a", "$env?.b", "unknown")
		}
		return g.pick("a", "b", "c", "d", "a", "b", "c", "d", "1.5", "2.0", "0.1", "1e3", "0.5")
	case "int":
		return g.pick("0", "1", "2", "3", "5", "10", "100", "7", "0x1F", "1_000", "9223372036854775807")
	case "bool":
		return g.pick("true", "false", "a > b", "c == 0")
	case "string":
		return g.pick(`"a"`, `"abc"`, `"b"`, `"12"`, `"2.5"`, `""`, `'x y'`)
	case "floats":
		return g.pick("[a, b]", "[a, b, c]", "[d, a, c, b]", "[a]", "[1.5, 2.5]")
	default:
		return g.pick("[1, 2, 3]", "1..3", "1..5", "[3, 1, 2]", "0..0", "[5]", "3..1")
	}
}

func (g *generator) between(kind string, depth int, operators ...string) string {
	return g.operand(kind, depth-1) + " " + g.pick(operators...) + " " + g.operand(kind, depth-1)
}

// Brackets most of the time, so that precedence is tried too.
func (g *generator) operand(kind string, depth int) string {
	text := g.of(kind, depth)
	if strings.ContainsAny(text, " ") && !g.chance(4) {
		return "(" + text + ")"
	}
	return text
}

func (g *generator) number() string { return g.pick("float", "float", "float", "int") }

func (g *generator) float(depth int) string {
	if depth <= 0 {
		return g.atom("float")
	}
	next := depth - 1
	switch g.random.Intn(26) {
	case 0, 1, 2, 3, 4:
		return g.operand("float", next) + " " + g.pick("+", "-", "*", "/", "+", "*") + " " + g.operand(g.number(), next)
	case 5:
		return g.operand(g.number(), next) + " " + g.pick("+", "-", "*", "/") + " " + g.operand("float", next)
	case 6:
		return g.operand(g.number(), next) + g.pick(" ** ", " ^ ") + g.pick("2", "3", "-1", "0.5", "10", "d", "1.3", g.operand("float", 0))
	case 7, 8:
		return g.pick("max", "min") + "(" + g.of("float", next) + ", " + g.of(g.number(), next) + ")"
	case 9:
		return g.pick("max", "min", "mean", "median") + "(" + g.of(g.pick("floats", "ints", "floats"), next) + ")"
	case 10:
		return g.pick("max", "min", "mean", "median") + "(" + g.of(g.number(), next) + ", " + g.of(g.pick("floats", "float"), next) + ", " + g.of(g.number(), next) + ")"
	case 11, 12:
		return g.pick("ceil", "floor", "round", "abs", "float") + "(" + g.of(g.number(), next) + ")"
	case 13, 14, 15:
		return g.operand("bool", next) + " ? " + g.of("float", next) + " : " + g.of(g.number(), next)
	case 16:
		return "if " + g.of("bool", next) + " { " + g.of("float", next) + " } else { " + g.of(g.number(), next) + " }"
	case 17:
		return "sum(" + g.of("floats", next) + ")"
	case 18:
		return "sum(" + g.of("floats", next) + ", " + g.predicate("float", "float", next) + ")"
	case 19:
		return g.pick("first", "last", "sum", "max", "min", "median") + "(" + g.of(g.pick("floats", "floats", "ints"), next) + ")"
	case 20:
		return g.pick("find", "findLast") + "(" + g.of("floats", next) + ", " + g.predicate("float", "bool", next) + ")"
	case 21:
		return "reduce(" + g.of("floats", next) + ", " + g.pick("#acc + #", "# + #acc", "#acc * 2 + #", "max(#acc, #)", "#acc - # + #index") + g.pick("", ", 0", ", a") + ")"
	case 22:
		return g.pick("-", "+", "-") + g.operand("float", next)
	case 23:
		return g.operand("floats", next) + " | " + g.pick("sum()", "max()", "first()", "mean()", "filter("+g.predicate("float", "bool", next)+") | sum()", "map("+g.predicate("float", "float", next)+") | max()")
	case 24:
		return g.pick("(", "(") + g.operand("floats", next) + ")[" + g.pick("0", "-1", "1", "int(a)", "0") + "]"
	default:
		return g.let("float", depth)
	}
}

func (g *generator) int(depth int) string {
	if depth <= 0 {
		return g.atom("int")
	}
	next := depth - 1
	switch g.random.Intn(13) {
	case 0, 1:
		return g.between("int", depth, "+", "-", "*", "%")
	case 2, 3:
		return "count(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "bool", next) }) + ")"
	case 4:
		return "len(" + g.of(g.pick("floats", "ints", "string"), next) + ")"
	case 5:
		return "int(" + g.of("float", next) + ")"
	case 6:
		return "sum(" + g.of("ints", next) + g.pick("", ", "+g.predicate("int", "int", next)) + ")"
	case 7:
		return g.operand("bool", next) + " ? " + g.of("int", next) + " : " + g.of("int", next)
	case 8:
		return g.pick("max", "min") + "(" + g.of("int", next) + ", " + g.of("int", next) + ")"
	case 9:
		return g.pick("findIndex", "findLastIndex") + "(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "bool", next) }) + ")"
	case 10:
		return g.pick("bitand", "bitor", "bitxor", "bitshl", "bitshr", "bitnand", "bitushr") + "(" + g.of("int", next) + ", " + g.of("int", next) + ")"
	case 11:
		return "-" + g.operand("int", next)
	default:
		return "abs(" + g.of("int", next) + ")"
	}
}

func (g *generator) bool(depth int) string {
	if depth <= 0 {
		return g.atom("bool")
	}
	next := depth - 1
	switch g.random.Intn(17) {
	case 0, 1, 2, 3:
		return g.operand(g.number(), next) + " " + g.pick("<", ">", "<=", ">=", "==", "!=") + " " + g.operand(g.number(), next)
	case 4:
		return g.operand("float", next) + g.pick(" < ", " <= ") + g.operand("float", next) + g.pick(" < ", " <= ") + g.operand(g.number(), next)
	case 5, 6:
		return g.between("bool", depth, "and", "or", "&&", "||")
	case 7:
		return g.pick("not ", "!") + g.operand("bool", next)
	case 8, 9:
		return g.pick("all", "any", "none", "one") + "(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "bool", next) }) + ")"
	case 10:
		return g.operand(g.number(), next) + g.pick(" in ", " not in ") + g.operand(g.pick("floats", "ints"), next)
	case 11:
		return g.operand("int", next) + g.pick(" in ", " not in ") + g.pick("[1, 2, 3]", "1..5", "[0]")
	case 12:
		return g.operand("string", next) + " " + g.pick("contains", "startsWith", "endsWith", "==", "!=", "<", "not contains", "matches") + " " + g.operand("string", next)
	case 13:
		return g.operand("string", next) + " in " + g.pick(`["a", "abc"]`, `["x"]`, `{a: 1, abc: 2}`)
	case 14:
		return "count(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "bool", next) }) + ") " + g.pick("> 0", ">= 1", "> 1", "< 2", "<= 1", ">= 2", "== 1")
	case 15:
		text := g.of("floats", 0)
		name := g.pick("all", "any", "none")
		join := g.pick(" and ", " or ", " && ")
		return name + "(" + text + ", " + g.predicate("float", "bool", next) + ")" + join + name + "(" + text + ", " + g.predicate("float", "bool", next) + ")"
	default:
		return g.operand("floats", next) + " == " + g.operand(g.pick("floats", "ints"), next)
	}
}

func (g *generator) string(depth int) string {
	if depth <= 0 {
		return g.atom("string")
	}
	next := depth - 1
	switch g.random.Intn(8) {
	case 0:
		return g.operand("string", next) + " + " + g.operand("string", next)
	case 1, 2:
		return "string(" + g.of(g.pick("float", "int", "bool", "floats", "string"), next) + ")"
	case 3:
		return g.pick("upper", "lower", "trim") + "(" + g.of("string", next) + ")"
	case 4:
		return g.operand("string", 0) + g.pick("[0:1]", "[1:]", "[:-1]", "[:]", "[-2:]")
	case 5:
		return "type(" + g.of(g.pick("float", "int", "bool", "floats", "string"), next) + ")"
	case 6:
		return g.operand("bool", next) + " ? " + g.of("string", next) + " : " + g.of("string", next)
	default:
		return g.pick(`repeat("ab", 2)`, `join(["1", "2"], "")`, `replace("1x2", "x", ".")`, `trimPrefix("x5", "x")`, `trimSuffix("5ms", "ms")`)
	}
}

func (g *generator) floats(depth int) string {
	if depth <= 0 {
		return g.atom("floats")
	}
	next := depth - 1
	switch g.random.Intn(13) {
	case 0, 1:
		parts := []string{}
		for range 1 + g.random.Intn(4) {
			parts = append(parts, g.of(g.number(), next))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case 2, 3:
		return "filter(" + g.of("floats", next) + ", " + g.predicate("float", "bool", next) + ")"
	case 4, 5:
		return "map(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "float", next) }) + ")"
	case 6:
		return "sort(" + g.of("floats", next) + g.pick("", `, "desc"`, `, "asc"`, `, "up"`) + ")"
	case 7:
		return "sortBy(" + g.of("floats", next) + ", " + g.predicate("float", "float", next) + g.pick("", `, "desc"`) + ")"
	case 8:
		return g.pick("reverse", "uniq", "flatten") + "(" + g.of("floats", next) + ")"
	case 9:
		return "concat(" + g.of("floats", next) + ", " + g.of(g.pick("floats", "ints"), next) + ")"
	case 10:
		return "take(" + g.of("floats", next) + ", " + g.pick("1", "2", "0", "9", "int(a)") + ")"
	case 11:
		return "(" + g.of("floats", next) + ")" + g.pick("[0:1]", "[1:]", "[:-1]", "[:]", "[-2:]")
	default:
		return "map(" + "filter(" + g.of("floats", 0) + ", " + g.predicate("float", "bool", next) + "), " + g.predicate("float", "float", next) + ")"
	}
}

func (g *generator) ints(depth int) string {
	if depth <= 0 {
		return g.atom("ints")
	}
	next := depth - 1
	switch g.random.Intn(6) {
	case 0:
		return g.pick("0", "1", "2", "-1") + ".." + g.pick("3", "5", "int(a)", "len([a, b])")
	case 1:
		return "[" + g.of("int", next) + ", " + g.of("int", next) + "]"
	case 2:
		return "filter(" + g.of("ints", next) + ", " + g.predicate("int", "bool", next) + ")"
	case 3:
		return "map(" + g.list(next, func(kind string) string { return ", " + g.predicate(kind, "int", next) }) + ")"
	case 4:
		return g.pick("reverse", "sort", "uniq") + "(" + g.of("ints", next) + ")"
	default:
		return "map(" + g.of("floats", next) + ", #index)"
	}
}

// A list of floats or ints with what follows from its kind.
func (g *generator) list(depth int, rest func(kind string) string) string {
	if g.chance(3) {
		return g.of("ints", depth) + rest("int")
	}
	return g.of("floats", depth) + rest("float")
}

func (g *generator) predicate(element, result string, depth int) string {
	g.elements = append(g.elements, element)
	body := g.of(result, max(depth, 1))
	g.elements = g.elements[:len(g.elements)-1]
	if g.chance(3) {
		return "{" + body + "}"
	}
	return body
}

func (g *generator) let(kind string, depth int) string {
	g.count++
	name := fmt.Sprintf("v%d", g.count)
	valueKind := g.pick("float", "int", "floats", "bool")
	value := g.of(valueKind, depth-1)
	g.variables = append(g.variables, variable{name, valueKind})
	body := g.of(kind, depth-1)
	g.variables = g.variables[:len(g.variables)-1]
	text := "let " + name + " = " + value + "; " + body
	if depth < 3 && len(g.elements) == 0 && g.chance(2) {
		return text
	}
	return "(" + text + ")"
}

// What is not known before it is evaluated, maps, groups, nil and chains.
func (g *generator) any(depth int) string {
	next := max(depth-2, 0)
	f := func() string { return g.of("float", next) }
	switch g.random.Intn(14) {
	case 0:
		return "{x: " + f() + ", y: " + f() + "}." + g.pick("x", "y", "z")
	case 1:
		return "{x: " + f() + `}["` + g.pick("x", "y") + `"] ?? ` + f()
	case 2:
		return "get([" + f() + ", " + f() + "], " + g.pick("0", "1", "5", "-1", "-3") + ") ?? " + f()
	case 3:
		return "len(groupBy(" + g.of("floats", next) + ", " + g.predicate("float", "bool", next) + ")[true])"
	case 4:
		return "first([" + f() + ", " + g.pick(`"x"`, "true", "1") + "]) " + g.pick("+", "*", "-", "/") + " " + f()
	case 5:
		return "[" + f() + ", 1][" + g.pick("0", "1", "2") + "] " + g.pick("+", "%", "*") + " " + g.pick("2", "1.5", f())
	case 6:
		return "(" + g.of("bool", next) + " ? " + g.of("int", next) + " : " + g.of("floats", next) + ") " + g.pick("?? 1", "| max()", "| len()", "+ 1")
	case 7:
		return "nil ?? " + f()
	case 8:
		return "{x: {y: " + f() + "}}" + g.pick("?.x?.y", ".x.y", "?.z?.y", ".z?.y", "?.z.y", ".z.y") + g.pick("", " ?? 1")
	case 9:
		return "(" + g.of("bool", next) + " ? nil : " + f() + ") " + g.pick("?? 2", "+ 1", "== nil ? 1 : 2")
	case 10:
		return "sum(values({x: " + f() + "}))"
	case 11:
		return "max(" + g.of("int", next) + ", " + f() + ") " + g.pick("== 1 ? 1 : 0", "% 2", "in [1, 2] ? 1 : 0", "in 1..3 ? 1 : 0")
	case 12:
		return "filter(" + g.of("floats", next) + ", " + g.predicate("float", "bool", next) + ")" + g.pick("[0]", "[-1]", " | first() ?? 1", " | last() ?? 2", " | len()")
	default:
		return "if " + g.of("bool", next) + " {" + f() + "} else if " + g.of("bool", next) + " {" + g.of("int", next) + "} else {" + f() + "}"
	}
}
