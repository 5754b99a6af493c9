#include "agent/speech/recognition_gate.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace vivavoce::agent::speech {
namespace {

constexpr double kMostScoreRatio = 0.7;
constexpr double kLeastSimilarity = 0.5;

} // namespace

double similarity(std::string_view a, std::string_view b)
{
    const std::size_t longer = std::max(a.size(), b.size());
    if (longer == 0) {
        return 1;
    }
    // Levenshtein's distance, one row at a time.
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
    return 1.0 - static_cast<double>(row[b.size()]) / static_cast<double>(longer);
}

bool isCommandCredible(std::string_view command, int commandScore, std::string_view free, int freeScore)
{
    if (command.empty() || free.empty() || freeScore >= 0) {
        return false;
    }
    const double ratio = static_cast<double>(commandScore) / static_cast<double>(freeScore);
    return ratio <= kMostScoreRatio && similarity(command, free) >= kLeastSimilarity;
}

} // namespace vivavoce::agent::speech
