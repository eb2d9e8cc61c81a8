package main

import (
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"
)

type (
	point   struct{ X, Y int }
	numbers struct {
		I8  int8
		I   int
		I64 int64
		U8  uint8
		U64 uint64
		F   float32
		D   float64
		C   complex64
		B   bool
	}
	containers struct {
		Names   []string
		Bytes   []byte
		Small   [3]byte
		Matrix  [2][2]int
		Nothing []struct{}
		Header  map[string][]string
		Counts  map[int]bool
		Empty   map[string]int
		NilMap  map[string]int
		Lists   [][]string
		Words   []uint16
	}
	odd struct {
		ByPoint map[point]string
		ByPair  map[[2]int8]string
		ByAny   map[any]int
		ByFloat map[float64]string
	}
	node struct {
		Name string
		Kids []*node
		Next *node
	}
	left   struct{ Right *right }
	right  struct{ Lefts map[string]left }
	nested []nested
	holder struct {
		Name  string
		Value any
		After int
	}
	box     struct{ Inner any }
	crate   struct{ Boxes []any }
	stamped struct {
		At    time.Time
		Maybe *time.Time
		All   []time.Time
		Link  *url.URL
		Plain url.URL
	}
	marshaled struct {
		Number  *big.Int
		Address netip.Addr
	}
	exported struct {
		Base
		Name string
	}
	Base     struct{ Id string }
	pointers struct {
		Flag  **bool
		Zero  *int
		Empty *string
		Point *point
		List  *[]int
	}
	nothing struct{}
)

func init() {
	gob.RegisterName("gobpeer.Point", point{})
	gob.RegisterName("*gobpeer.Box", &box{})
	gob.RegisterName("*gobpeer.Crate", &crate{})
	gob.RegisterName("gobpeer.Node", node{})
	gob.RegisterName("gobpeer.Nothing", nothing{})
}

// wide is a struct of many fields, a few of which are set.
func wide(fields int, set ...int) any {
	var described []reflect.StructField
	for number := range fields {
		described = append(described, reflect.StructField{
			Name: fmt.Sprintf("F%d", number), Type: reflect.TypeFor[int](),
		})
	}
	value := reflect.New(reflect.StructOf(described)).Elem()
	for _, number := range set {
		value.Field(number).SetInt(int64(number) + 1)
	}
	return value.Interface()
}

// features are streams by name. Maps have one entry at most, for their order is random.
func features() (map[string]string, error) {
	yes := true
	flag, zero, empty := &yes, 0, ""
	india := time.FixedZone("", 5*3600+30*60)
	moment := time.Date(2023, 11, 14, 22, 13, 20, 123456789, time.UTC)
	link, err := url.Parse("https://user@example.test/a%20b?x=1#y")
	if err != nil {
		return nil, err
	}
	big1, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	deep := any("end")
	for range 20 {
		deep = []any{deep}
	}
	streams := map[string][]any{
		"points":   {point{22, 33}, point{0, 5}, point{}},
		"plain":    {true, false, 0, -1, uint(200), 17.0, "text", []byte("abc"), 1 + 2i, uint64(math.MaxUint64)},
		"lists":    {[]string{"a", ""}, []string{}, map[string][]string{"X": {"1", "2"}}, [3]byte{1, 200, 3}, []point{{1, 0}, {}}},
		"nothing":  {nothing{}, []nothing{{}, {}}},
		"numbers":  {numbers{-128, -1, math.MinInt64, 255, math.MaxUint64, 1.5, -0.1, -1 - 2i, true}, numbers{I: 64, D: math.Inf(1)}},
		"floats":   {[]float64{0, math.Copysign(0, -1), 1, -1.5, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(-1)}, math.NaN()},
		"integers": {[]int{0, 63, 64, -64, -65, 255, 256, 1700000000000, math.MaxInt64, math.MinInt64}},
		"containers": {
			containers{
				Names: []string{"a"}, Bytes: []byte{0, 255}, Small: [3]byte{1, 2, 200}, Matrix: [2][2]int{{1, 2}, {3, 4}},
				Nothing: []struct{}{{}, {}}, Header: map[string][]string{"K": nil}, Counts: map[int]bool{-5: true},
				Empty: map[string]int{}, Lists: [][]string{{}, {"x"}}, Words: []uint16{1, 65535},
			},
			containers{},
		},
		"odd keys": {odd{
			ByPoint: map[point]string{{1, 2}: "p"}, ByPair: map[[2]int8]string{{1, -1}: "q"},
			ByAny: map[any]int{point{3, 0}: 4}, ByFloat: map[float64]string{0.5: "h"},
		}},
		"recursive":       {node{"root", []*node{{"kid", nil, nil}, {"", nil, &node{Name: "next"}}}, nil}},
		"mutual":          {left{&right{map[string]left{"a": {&right{}}}}}},
		"list of itself":  {nested{{}, {{}}}},
		"interface":       {holder{"n", point{1, 2}, 3}, holder{"m", point{3, 4}, 5}, holder{}, holder{Value: 0}},
		"interface basic": {[]any{true, -7, int8(1), uint8(2), 2.5, float32(1), "s", []byte("b"), 1i, nil, []string{"x"}, []int(nil)}},
		"interface deep 2": {
			holder{"n", &box{point{1, 2}}, 3},
			holder{"m", &box{point{3, 4}}, 5},
		},
		"interface deep 3": {holder{"n", &box{&crate{[]any{1, point{1, 2}, nothing{}, "x"}}}, 3}},
		"interface many":   {[]any{point{1, 0}, &box{node{Name: "a"}}, "between", &crate{[]any{nothing{}}}, point{2, 0}}, point{9, 9}},
		"interface map":    {map[string]any{"m": map[string]any{"deep": []any{"a", 2.5, true, nil}}}},
		"interface top":    {[]any{deep}},
		"interface self":   {holder{Value: node{"a", []*node{{Name: "b"}}, nil}}},
		"times": {
			&stamped{At: moment, Maybe: &moment, All: []time.Time{{}, moment.In(india)}, Link: link, Plain: url.URL{Path: "/p"}},
			&stamped{At: time.Unix(-1, 0).In(time.FixedZone("", -8*3600)), Link: &url.URL{}},
			time.Unix(0, 0).In(time.FixedZone("", 3600+25)),
			&stamped{},
		},
		"marshaled":  {marshaled{big1, netip.MustParseAddr("10.0.0.1")}},
		"embedded":   {exported{Base{"i"}, "n"}},
		"pointers":   {pointers{Flag: &flag, Zero: &zero, Empty: &empty, Point: &point{}, List: &[]int{1}}, pointers{}},
		"bad text":   {[]string{"a\xffb", "\xed\xa0\x80"}, map[string]string{"\xc3": "\x80"}},
		"long":       {strings.Repeat("long ", 14000), []string{strings.Repeat("x", 127), strings.Repeat("y", 128)}},
		"wide 127":   {wide(127, 0, 126), wide(127, 126)},
		"wide 128":   {wide(128, 0, 127), wide(128, 127), wide(128)},
		"wide 300":   {wide(300, 0, 1, 129, 299), wide(300, 299)},
		"same names": {struct{ A struct{ A int } }{struct{ A int }{1}}},
	}
	result := map[string]string{}
	for name, values := range streams {
		data, err := encoded(values...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		result[name] = hex.EncodeToString(data)
	}
	return result, nil
}
