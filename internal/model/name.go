package model

import (
	"math/rand/v2"
	"strings"
	"time"
)

// NewName makes a file name without suffix: prefix, local time, and two words that
// are easier to say than the time.
func NewName(prefix string, now time.Time) string {
	pick := func(words []string) string { return words[rand.IntN(len(words))] }
	return prefix + now.Format("20060102-150405") + "-" + pick(adjectives) + "-" + pick(nouns)
}

var adjectives = strings.Fields(`
	amber apt ardent bold brave breezy bright brisk calm candid chilly clear clever coral cosy crisp curious
	dapper daring deep deft dry eager early easy exact fair fast fine firm fleet fond free fresh frosty full
	gentle glad golden grand green happy hardy honest humble ivory jolly keen kind late light lively lucid lucky
	mellow merry mild modest neat nimble noble olive open patient plain polite prime proud quick quiet rapid
	ready rosy round royal sage salty sharp shiny silent silver simple smart smooth snug soft solid sonic spry
	steady still sunny sweet swift tame tidy tranquil true upbeat vast vivid warm wide wise young zesty`)

var nouns = strings.Fields(`
	acorn anchor apple arch atlas badge barley basin bay beacon bell birch boat brook cabin canal canyon cedar
	chapel cliff clover coast comet copper cove crane creek dale delta dock dune eagle echo elm ember fern field
	finch fjord flute forest fountain gale garden glade grove gull harbour harp hazel heron hill inlet iris
	island ivy jetty juniper kestrel kite lagoon lake lamp lantern lark ledge lemon linden loquat maple marsh
	meadow mesa mill moon moss oak oasis orchard otter owl path peak pebble pepper pier pine plum pond poplar
	quarry quartz quince rain reef ridge river robin rose sail saddle sand sea shore slope sparrow spring spruce
	stone stream summit swan thistle tide topaz tower trail valley violin walnut wave willow wren`)
