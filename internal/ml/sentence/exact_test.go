package sentence

import (
	"fmt"
	"math"
)

// encode is the definition of the encoder, in 64 bits and as slow as it is short.
func (p *published) encode(ids []int) []float64 {
	hidden, heads := p.config["hidden_size"].(int), p.config["num_attention_heads"].(int)
	n, size := len(ids), hidden/heads
	x := rows(n, func(i int) []float64 {
		v := make([]float64, hidden)
		for k := range v {
			v[k] = float64(p.values["embeddings.word_embeddings.weight"][ids[i]*hidden+k]) +
				float64(p.values["embeddings.position_embeddings.weight"][i*hidden+k]) +
				float64(p.values["embeddings.token_type_embeddings.weight"][k])
		}
		return p.norm("embeddings.LayerNorm", v)
	})
	for layer := range p.config["num_hidden_layers"].(int) {
		name := fmt.Sprintf("encoder.layer.%d.", layer)
		query := rows(n, func(i int) []float64 { return p.linear(name+"attention.self.query", x[i]) })
		key := rows(n, func(i int) []float64 { return p.linear(name+"attention.self.key", x[i]) })
		value := rows(n, func(i int) []float64 { return p.linear(name+"attention.self.value", x[i]) })
		x = rows(n, func(i int) []float64 {
			mixed := make([]float64, hidden)
			for h := range heads {
				weights, sum := make([]float64, n), 0.0
				for j := range weights {
					score := 0.0
					for k := h * size; k < (h+1)*size; k++ {
						score += query[i][k] * key[j][k]
					}
					weights[j] = math.Exp(score / math.Sqrt(float64(size)))
					sum += weights[j]
				}
				for j, w := range weights {
					for k := h * size; k < (h+1)*size; k++ {
						mixed[k] += w / sum * value[j][k]
					}
				}
			}
			y := p.norm(name+"attention.output.LayerNorm", add(x[i], p.linear(name+"attention.output.dense", mixed)))
			wide := p.linear(name+"intermediate.dense", y)
			for k, v := range wide {
				wide[k] = v / 2 * (1 + math.Erf(v/math.Sqrt2))
			}
			return p.norm(name+"output.LayerNorm", add(y, p.linear(name+"output.dense", wide)))
		})
	}
	mean, length := make([]float64, hidden), 0.0
	for _, v := range x {
		mean = add(mean, v)
	}
	for _, v := range mean {
		length += v * v
	}
	for k := range mean {
		mean[k] /= math.Sqrt(length)
	}
	return mean
}

func rows(n int, row func(i int) []float64) [][]float64 {
	x := make([][]float64, n)
	for i := range x {
		x[i] = row(i)
	}
	return x
}

func add(a, b []float64) []float64 {
	sum := make([]float64, len(a))
	for i := range sum {
		sum[i] = a[i] + b[i]
	}
	return sum
}

func (p *published) linear(name string, x []float64) []float64 {
	weights, bias := p.values[name+".weight"], p.values[name+".bias"]
	y := make([]float64, len(bias))
	for o := range y {
		y[o] = float64(bias[o])
		for i, v := range x {
			y[o] += float64(weights[o*len(x)+i]) * v
		}
	}
	return y
}

func (p *published) norm(name string, x []float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = (v-mean)/math.Sqrt(variance+1e-12)*float64(p.values[name+".weight"][i]) + float64(p.values[name+".bias"][i])
	}
	return y
}
