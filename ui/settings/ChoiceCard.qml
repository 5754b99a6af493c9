import QtQuick
import QtQuick.Layouts
import Vivavoce.Settings
import Vivavoce.Style

/** Which provider, model and voice the broker is asked for. */
Card {
    id: card

    required property ChoiceViewModel choice
    /** None that is known will do, or somebody is about to name one. */
    property bool isVoiceTyped: false
    /** The keyboard is there, or is there again with the window. */
    readonly property bool isNaming: voiceName.focus || useName.focus
    readonly property bool isOther: provider.text.trim() !== choice.provider || model.text.trim() !== choice.model

    // A button that has nothing more to do would lose the keyboard: each hands it over first.
    function use() {
        if (useButton.activeFocus)
            model.forceActiveFocus(Qt.TabFocusReason);
        if (card.choice.use(provider.text, model.text)) {
            // As it was understood, which may be what it was before.
            provider.text = Qt.binding(() => card.choice.provider);
            model.text = Qt.binding(() => card.choice.model);
        }
    }

    function useVoice() {
        if (useName.activeFocus)
            voiceName.forceActiveFocus(Qt.TabFocusReason);
        if (card.choice.useVoice(voiceName.text)) {
            // The field goes; what shows the voice now has it.
            if (voiceName.activeFocus && voice.count > 0)
                voice.forceActiveFocus(Qt.TabFocusReason);
            card.isVoiceTyped = false;
            voiceName.text = Qt.binding(() => card.choice.voice);
        }
    }

    title: qsTr("Provider, model and voice")

    Connections {
        target: card.choice

        function onVoicesChanged() {
            // Of another provider, perhaps, which has other ones.
            if (!card.isNaming)
                card.isVoiceTyped = false;
        }
    }

    component Name: Words {
        Layout.fillWidth: true
        Layout.bottomMargin: -6
        size: Theme.small
        isSoft: true
        // What is below it has its name.
        Accessible.ignored: true
    }
    component Typed: Field {
        Layout.fillWidth: true
        placeholderText: qsTr("As the broker decides")
        inputMethodHints: Qt.ImhNoAutoUppercase | Qt.ImhNoPredictiveText
        maximumLength: 400
    }
    component Suggestions: Flow {
        id: flow

        property var names: []
        signal chosen(string name)

        Layout.fillWidth: true
        visible: names.length > 0
        spacing: 6

        Repeater {
            model: flow.names

            PushButton {
                required property string modelData

                objectName: "suggested_" + modelData
                height: 28
                leftPadding: Theme.between
                rightPadding: Theme.between
                topPadding: 0
                bottomPadding: 0
                corner: 14
                text: modelData
                size: Theme.tiny
                isStrong: false
                Accessible.name: qsTr("Use %1").arg(modelData)
                onClicked: flow.chosen(modelData)  // qmllint disable unqualified
            }
        }
    }

    Name {
        text: qsTr("Provider")
    }
    Typed {
        id: provider

        objectName: "providerName"
        text: card.choice.provider
        isWrong: card.choice.isProviderWrong
        Accessible.name: qsTr("Provider; empty: as the broker decides")
        Accessible.description: isWrong ? card.choice.fault : ""
        onTextEdited: card.choice.forgetFault()
        onAccepted: card.use()
    }
    Suggestions {
        names: card.choice.providers
        onChosen: name => {
            provider.text = name;
            card.use();
        }
    }
    Name {
        text: qsTr("Model")
    }
    RowLayout {
        Layout.fillWidth: true
        spacing: Theme.inside

        Typed {
            id: model

            objectName: "modelName"
            text: card.choice.model
            isWrong: card.choice.isModelWrong
            Accessible.name: qsTr("Model; empty: as the broker decides")
            Accessible.description: isWrong ? card.choice.fault : ""
            onTextEdited: card.choice.forgetFault()
            onAccepted: card.use()
        }
        PushButton {
            id: useButton

            objectName: "useChoice"
            text: qsTr("Use")
            enabled: card.isOther
            Accessible.name: qsTr("Use this provider and model")
            onClicked: card.use()
        }
    }
    Suggestions {
        // Of all of them there are many.
        names: provider.text.trim() === "" ? [] : card.choice.modelsOf(provider.text)
        onChosen: name => {
            model.text = name;
            card.use();
        }
    }
    Words {
        objectName: "choiceFault"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.choice.fault
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    Words {
        objectName: "choiceNote"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.choice.note
        color: Theme.warn
        size: Theme.small
        wrapMode: Text.Wrap
    }
    Name {
        text: qsTr("Voice")
    }
    Choice {
        id: voice

        // What is picked, or a longer list, leaves it where it is not.
        function follow() {
            voice.currentIndex = Qt.binding(() => card.isVoiceTyped ? voice.count - 1 : card.choice.voiceRow);
        }

        objectName: "voice"
        Layout.fillWidth: true
        visible: voice.count > 0
        model: card.choice.voices
        Accessible.name: qsTr("Voice")
        Component.onCompleted: voice.follow()
        onModelChanged: voice.follow()
        onActivated: index => {
            card.isVoiceTyped = index === voice.count - 1;
            if (card.isVoiceTyped) {
                voiceName.forceActiveFocus(Qt.TabFocusReason);
            } else {
                card.choice.chooseVoice(index);
            }
            voice.follow();
        }
    }
    RowLayout {
        Layout.fillWidth: true
        visible: card.isVoiceTyped || voice.count === 0
        spacing: Theme.inside

        Typed {
            id: voiceName

            objectName: "voiceName"
            text: card.choice.voice
            placeholderText: qsTr("As the server chooses")
            isWrong: card.choice.voiceFault !== ""
            Accessible.name: qsTr("Name of the voice; empty: as the server chooses")
            Accessible.description: isWrong ? card.choice.voiceFault : ""
            // Where a list comes meanwhile, the name is still to be typed.
            onActiveFocusChanged: if (activeFocus)
                card.isVoiceTyped = true
            onTextEdited: {
                card.isVoiceTyped = true;
                card.choice.forgetFault();
            }
            onAccepted: card.useVoice()
        }
        PushButton {
            id: useName

            objectName: "useVoice"
            text: qsTr("Use")
            enabled: voiceName.text.trim() !== card.choice.voice
            Accessible.name: qsTr("Use this voice")
            onClicked: card.useVoice()
        }
    }
    Words {
        objectName: "voiceFault"
        Layout.fillWidth: true
        visible: text !== ""
        text: card.choice.voiceFault
        color: Theme.bad
        size: Theme.small
        wrapMode: Text.Wrap
        Accessible.role: Accessible.AlertMessage
        Accessible.name: text
    }
    Words {
        Layout.fillWidth: true
        text: qsTr("They hold from the next conversation on. A broker may have others, and may not allow all of them.")
        size: Theme.small
        isSoft: true
        wrapMode: Text.Wrap
    }
}
