#include "agent/speech/domain_language_model.h"

#include <QTest>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

using vivavoce::agent::speech::makeArpa;

/// Reads the model back as a recogniser does: a probability for what is written, the shorter context's times the back-off otherwise.
class Arpa {
public:
    explicit Arpa(const std::string& text)
    {
        std::istringstream lines(text);
        std::size_t order = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.size() > 8 && line.substr(2) == "-grams:") {
                order = static_cast<std::size_t>(line[1] - '0');
            } else if (order > 0 && line.find('\t') != std::string::npos) {
                std::istringstream fields(line);
                double probability = 0;
                fields >> probability;
                std::vector<std::string> words(order);
                for (std::string& word : words) {
                    fields >> word;
                }
                double backoff = 0;
                fields >> backoff;
                m_entries[words] = {probability, backoff};
                if (order == 1 && words[0] != "<s>") {
                    m_words.insert(words[0]);
                }
            }
        }
    }

    [[nodiscard]] double probability(std::vector<std::string> context, const std::string& word) const
    {
        std::vector<std::string> key = context;
        key.push_back(word);
        if (const auto entry = m_entries.find(key); entry != m_entries.end()) {
            return std::pow(10, entry->second.first);
        }
        if (context.empty()) {
            return 0;
        }
        const auto weight = m_entries.find(context);
        const double backoff = weight == m_entries.end() ? 1 : std::pow(10, weight->second.second);
        context.erase(context.begin());
        return backoff * probability(context, word);
    }
    [[nodiscard]] double sum(const std::vector<std::string>& context) const
    {
        double total = 0;
        for (const std::string& word : m_words) {
            total += probability(context, word);
        }
        return total;
    }
    [[nodiscard]] const std::set<std::string>& words() const { return m_words; }

private:
    std::map<std::vector<std::string>, std::pair<double, double>> m_entries;
    std::set<std::string> m_words;
};

class DomainLanguageModelTest : public QObject {
    Q_OBJECT

    const std::vector<std::string> m_sentences{
        "what time is it", "what day is it", "what time is it now", "tell me a joke", "", "  "};

private Q_SLOTS:
    void everyContext_SumsToOne()
    {
        const Arpa model(makeArpa(m_sentences));
        std::vector<std::vector<std::string>> contexts{{}, {"<s>"}};
        for (const std::string& a : model.words()) {
            contexts.push_back({a});
            contexts.push_back({"<s>", a});
            for (const std::string& b : model.words()) {
                contexts.push_back({a, b});
            }
        }
        for (const auto& context : contexts) {
            const double sum = model.sum(context);
            QVERIFY2(std::abs(sum - 1) < 1e-4, qPrintable(QString::number(sum)));
        }
    }

    void seenWords_AreLikelierThanUnseen()
    {
        const Arpa model(makeArpa(m_sentences));
        QVERIFY(model.probability({"<s>", "what"}, "time") > model.probability({"<s>", "what"}, "day"));
        QVERIFY(model.probability({"what"}, "day") > model.probability({"what"}, "joke"));
        QVERIFY(model.probability({"what"}, "joke") > 0);
    }

    void sameSentences_GiveTheSameText()
    {
        QCOMPARE(makeArpa(m_sentences), makeArpa(m_sentences));
        QVERIFY(makeArpa(m_sentences).find("ngram 1=12\n") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(DomainLanguageModelTest)
#include "test_domain_language_model.moc"
