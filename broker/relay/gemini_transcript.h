#pragma once

#include "broker/relay/spoken_item.h"
#include "broker/relay/transcript_keeper.h"
#include "core/base/json.h"
#include "core/protocol/gemini/server_messages.h"

#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {

/// Gemini Live. It names nothing, and writes down what is said in pieces that come in no order relative to each other: within a turn the user's
/// words have their place before the answer's, whenever they come.
class GeminiTranscript final : public TranscriptKeeper {
public:
    explicit GeminiTranscript(OnLine onLine) : m_onLine(std::move(onLine)) {}

    void fromClient(std::string_view text, core::WallTime now) override;
    void fromProvider(std::string_view text, core::WallTime now) override;
    void ended(core::WallTime now) override;
    /// Whether there may be words in it.
    [[nodiscard]] static bool reads(const core::gemini::ServerMessage& message);

private:
    void onContent(const core::Json& content);
    void on(const core::gemini::ServerContent& content);
    void on(const core::gemini::ToolCall& call);
    void userSaid(const core::gemini::TranscriptPiece& piece);
    void modelSaid(std::string_view text);
    void typed(SpokenItem item);
    /// The places of a turn's user and of its answer; calls come between them and what follows.
    void beginTurn();
    void beginUser();
    /// All of what they said before the answer is there.
    void endUser();
    void endTurn();
    void endModel(transcripts::Extent extent);
    [[nodiscard]] SpokenItem made(transcripts::Speaker speaker, std::int64_t position) const;
    void tell(SpokenItem& item, transcripts::Extent extent);

    const OnLine m_onLine;
    core::WallTime m_now{};
    std::int64_t m_last = 0;
    /// Where the user's words of this turn belong, if they have a place already.
    std::optional<std::int64_t> m_userPlace;
    /// All of them are there.
    bool m_isUserHeard = false;
    std::optional<SpokenItem> m_user;
    /// They are said into the answer to what was said before.
    bool m_isOfNextTurn = false;
    core::WallTime m_userAt{};
    std::optional<SpokenItem> m_model;
    /// What comes as the end of a turn next is that of the answer that was interrupted.
    bool m_isInterrupted = false;
    /// Something was answered, or said aloud.
    bool m_hasBegun = false;
};

} // namespace vivavoce::broker::relay
