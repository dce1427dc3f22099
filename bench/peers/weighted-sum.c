#include <stddef.h>

/*
 * The least that can be done for a weighted sum: every row read once, the sum written once. Rows lie as a streaming reader
 * lays them out: all rows of a block, then those of the next.
 */
void weighted_sum(float *restrict sum, const float *restrict rows, const float *restrict weights, size_t count,
                  size_t length, size_t block) {
  for (size_t start = 0; start < length; start += block) {
    const size_t n = length - start < block ? length - start : block;
    const float *row = rows + start * count;
    float *restrict to = sum + start;
    size_t r = 0;
    for (; r + 8 <= count; r += 8) {
      const float *w = weights + r, *x = row + r * n;
      if (r == 0)
        for (size_t i = 0; i < n; i++)
          to[i] = w[0] * x[i] + w[1] * x[n + i] + w[2] * x[2 * n + i] + w[3] * x[3 * n + i] + w[4] * x[4 * n + i] +
                  w[5] * x[5 * n + i] + w[6] * x[6 * n + i] + w[7] * x[7 * n + i];
      else
        for (size_t i = 0; i < n; i++)
          to[i] += w[0] * x[i] + w[1] * x[n + i] + w[2] * x[2 * n + i] + w[3] * x[3 * n + i] + w[4] * x[4 * n + i] +
                   w[5] * x[5 * n + i] + w[6] * x[6 * n + i] + w[7] * x[7 * n + i];
    }
    for (; r < count; r++) {
      const float w = weights[r], *x = row + r * n;
      if (r == 0)
        for (size_t i = 0; i < n; i++) to[i] = w * x[i];
      else
        for (size_t i = 0; i < n; i++) to[i] += w * x[i];
    }
  }
}
