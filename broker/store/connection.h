#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace vivavoce::broker {

/// A connection that remembers what it was asked: a statement is parsed and planned once, and run again with other values.
/// Threads: one at a time.
class Connection final : public soci::session {
public:
    using soci::session::session;

    /// Runs a statement that gives one row or none; `exchanged` are its `use` and `into`, in the text's order, or what exchanges several of
    /// them with the soci::statement that it is called with. False: none.
    /// For texts that come again: what is put into them is a value, never a piece of the text. Throws soci::soci_error.
    template <typename... Exchanged>
    bool ask(const std::string& text, Exchanged&&... exchanged)
    {
        std::size_t rows = 0;
        askEach(
            text, [&rows] { ++rows; }, std::forward<Exchanged>(exchanged)...);
        set_got_data(rows > 0);
        return rows > 0;
    }
    /// The same for any number of rows: `onRow` is called when each of them is in the variables of `into`.
    template <typename OnRow, typename... Exchanged>
    void askEach(const std::string& text, OnRow onRow, Exchanged&&... exchanged)
    {
        Run run(*this, text);
        soci::statement& statement = run.statement();
        (exchange(statement, std::forward<Exchanged>(exchanged)), ...);
        statement.define_and_bind();
        // To the end: a statement that has rows left keeps its lock on the database.
        for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
            onRow();
        }
        run.finish();
    }

private:
    template <typename Exchanged>
    static void exchange(soci::statement& statement, Exchanged&& exchanged)
    {
        if constexpr (std::is_invocable_v<Exchanged, soci::statement&>) {
            exchanged(statement);
        } else {
            statement.exchange(std::forward<Exchanged>(exchanged));
        }
    }
    struct Kept {
        explicit Kept(Connection& connection) : statement(connection) {}
        soci::statement statement;
        bool isRunning = false;
    };
    using Statements = std::unordered_map<std::string, std::unique_ptr<Kept>>;
    /// More than there are texts in the program; what comes then is not kept.
    static constexpr std::size_t kMostKept = 256;

    /// One run of a statement, within which others may run, but not the same again. Where it is not finished the statement is forgotten:
    /// nobody knows in what state it is.
    class Run {
    public:
        Run(Connection& connection, const std::string& text);
        ~Run();
        Run(const Run&) = delete;
        Run& operator=(const Run&) = delete;
        [[nodiscard]] soci::statement& statement() { return m_kept->statement; }
        void finish();

    private:
        Connection& m_connection;
        const std::string m_text;
        Kept* m_kept;
    };

    Statements m_statements;
};

} // namespace vivavoce::broker
