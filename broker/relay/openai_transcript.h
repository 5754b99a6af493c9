#pragma once

#include "broker/relay/spoken_item.h"
#include "broker/relay/transcript_keeper.h"
#include "broker/relay/typed_items.h"
#include "core/protocol/openai/server_events.h"

#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace vivavoce::broker::relay {

/// OpenAI Realtime, both dialects. The order is that of the conversation's items: what the user said is written down by the provider when its
/// answer is often under way already. What is typed counts once the provider has taken it.
class OpenAiTranscript final : public TranscriptKeeper {
public:
    explicit OpenAiTranscript(OnLine onLine) : m_onLine(std::move(onLine)) {}

    void fromClient(std::string_view text, core::WallTime now) override;
    void fromProvider(std::string_view text, core::WallTime now) override;
    void ended(core::WallTime now) override;
    /// Whether a provider's event of that type is read.
    [[nodiscard]] static bool reads(std::string_view type);

private:
    void on(const core::openai::InputAudioBufferSpeechStarted& started);
    void on(const core::openai::InputAudioBufferCommitted& committed);
    void on(const core::openai::ConversationItemTruncated& truncated);
    void on(const core::openai::InputAudioTranscriptionDelta& delta);
    void on(const core::openai::InputAudioTranscriptionCompleted& completed);
    void on(const core::openai::ResponseCreated& created);
    void on(const core::openai::ResponseDone& done);
    void on(const core::openai::ResponseOutputItemAdded& added);
    void on(const core::openai::ResponseOutputItemDone& done);
    void on(const core::openai::ErrorEvent& error);
    template <typename Event>
    void onItem(const Event& event);
    template <typename Event>
    void onDelta(const Event& event);
    template <typename Event>
    void onWhole(const Event& event, const std::string& text);
    void interrupted(const std::string& itemId);
    void readMessage(SpokenItem& item, const core::openai::Item& told);
    void readOutput(const std::string& response, const core::openai::Item& told);

    [[nodiscard]] SpokenItem* find(const std::string& id);
    /// With a server that names no items: the one that is being said.
    [[nodiscard]] SpokenItem* findNameless(transcripts::Speaker speaker);
    /// The item of that name; a new one comes behind `previous`, or behind all.
    SpokenItem& place(const std::string& id, transcripts::Speaker speaker, const std::optional<std::string>& previous);
    [[nodiscard]] std::int64_t positionBehind(const std::optional<std::string>& previous);
    /// The provider has not said that it took them, and goes on: it does not say so.
    void settleTyped();
    void tell(SpokenItem& item);
    /// Something was said that is not remembered.
    void tellLoss();

    const OnLine m_onLine;
    core::WallTime m_now{};
    std::deque<SpokenItem> m_items;
    TypedItems m_typed;
    std::int64_t m_last = 0;
    std::int64_t m_first = 0;
    /// Something was answered, or said aloud.
    bool m_hasBegun = false;
};

} // namespace vivavoce::broker::relay
