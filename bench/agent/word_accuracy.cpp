#include "bench/agent/word_accuracy.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <vector>

namespace vivavoce::bench {
namespace {

std::vector<std::string> split(const std::string& text)
{
    std::istringstream words(text);
    std::vector<std::string> result;
    for (std::string word; words >> word;) {
        result.push_back(word);
    }
    return result;
}

} // namespace

WordScore scoreWords(const std::string& said, const std::string& heard)
{
    const auto a = split(said);
    const auto b = split(heard);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t k = 0; k < b.size(); ++k) {
            const std::size_t above = row[k + 1];
            row[k + 1] = std::min({above + 1, row[k] + 1, diagonal + (a[i] == b[k] ? 0U : 1U)});
            diagonal = above;
        }
    }
    const std::size_t errors = row[b.size()];
    return {a.size(), a.size() - std::min(a.size(), errors)};
}

} // namespace vivavoce::bench
