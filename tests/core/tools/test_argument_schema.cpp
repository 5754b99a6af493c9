#include "core/tools/argument_schema.h"

#include <QTest>

using vivavoce::core::ArgumentSchema;

class TestArgumentSchema : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void arguments_AreHeldAgainstTheSchema_data()
    {
        QTest::addColumn<QByteArray>("schema");
        QTest::addColumn<QByteArray>("arguments");
        /// Empty: they fit.
        QTest::addColumn<QByteArray>("fault");
        const QByteArray city(
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"minLength\":2},\"days\":{\"type\":\"integer\""
            ",\"minimum\":1,\"maximum\":7},\"unit\":{\"enum\":[\"C\",\"F\"]}},\"required\":[\"city\"],\"additionalProperties\":false}");
        QTest::newRow("fits") << city << QByteArray("{\"city\":\"Oslo\",\"days\":3,\"unit\":\"C\"}") << QByteArray();
        QTest::newRow("missing") << city << QByteArray("{\"days\":3}") << QByteArray("city");
        QTest::newRow("nothing at all") << city << QByteArray() << QByteArray("city");
        QTest::newRow("type") << city << QByteArray("{\"city\":7}") << QByteArray("[city]");
        QTest::newRow("not whole") << city << QByteArray("{\"city\":\"Oslo\",\"days\":1.5}") << QByteArray("days");
        QTest::newRow("too big") << city << QByteArray("{\"city\":\"Oslo\",\"days\":8}") << QByteArray("days");
        QTest::newRow("too short") << city << QByteArray("{\"city\":\"O\"}") << QByteArray("city");
        QTest::newRow("enum") << city << QByteArray("{\"city\":\"Oslo\",\"unit\":\"K\"}") << QByteArray("unit");
        QTest::newRow("unknown property") << city << QByteArray("{\"city\":\"Oslo\",\"x\":1}") << QByteArray("x");
        QTest::newRow("no object") << city << QByteArray("[]") << QByteArray("object");
        QTest::newRow("no JSON") << city << QByteArray("{city") << QByteArray("JSON");
        QTest::newRow("a name twice") << city << QByteArray("{\"city\":\"Oslo\",\"city\":\"Bergen\"}")
                                      << QByteArray("JSON");
        QTest::newRow("items") << QByteArray("{\"properties\":{\"a\":{\"items\":{\"type\":\"number\"}}}}")
                               << QByteArray("{\"a\":[1,\"2\"]}") << QByteArray("a");
        QTest::newRow("definition") << QByteArray(
            "{\"$defs\":{\"p\":{\"type\":\"integer\"}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/p\"}}}")
                                    << QByteArray("{\"a\":\"b\"}") << QByteArray("a");
        QTest::newRow("one of") << QByteArray(
            "{\"properties\":{\"a\":{\"anyOf\":[{\"type\":\"null\"},{\"const\":3}]}}}")
                                << QByteArray("{\"a\":4}") << QByteArray("a");
        QTest::newRow("no parameters") << QByteArray("{}") << QByteArray() << QByteArray();
        // A property may be called as a keyword is.
        QTest::newRow("pattern is a name") << QByteArray(
            "{\"properties\":{\"pattern\":{\"type\":\"string\"}},\"required\":[\"pattern\"],\"additionalProperties\":false}")
                                           << QByteArray("{\"pattern\":\"x\"}") << QByteArray();
    }
    void arguments_AreHeldAgainstTheSchema()
    {
        QFETCH(QByteArray, schema);
        QFETCH(QByteArray, arguments);
        QFETCH(QByteArray, fault);
        const auto made = ArgumentSchema::create(schema.toStdString());
        QVERIFY2(made.has_value(), made ? "" : made.error().c_str());
        const auto checked = made->check(arguments.toStdString());
        if (fault.isEmpty()) {
            QVERIFY2(checked.has_value(), checked ? "" : checked.error().c_str());
            QCOMPARE(checked.value(), arguments.isEmpty() ? std::string("{}") : arguments.toStdString());
        } else {
            QVERIFY(!checked.has_value());
            QVERIFY2(QByteArray::fromStdString(checked.error()).contains(fault), checked.error().c_str());
            QVERIFY(checked.error().find('\n') == std::string::npos);
        }
    }

    void schema_ThatCannotServe_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("schema");
        QTest::newRow("no JSON") << QByteArray("{");
        QTest::newRow("no object") << QByteArray("true");
        QTest::newRow("a type that is none") << QByteArray("{\"type\":\"strnig\"}");
        QTest::newRow("a property that is no schema") << QByteArray("{\"properties\":{\"a\":7}}");
        QTest::newRow("itself") << QByteArray("{\"$ref\":\"#\"}");
        QTest::newRow("round") << QByteArray(
            "{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}},\"allOf\":[{\"$ref\":\"#/$defs/a\"}]}");
        QTest::newRow("elsewhere") << QByteArray("{\"$ref\":\"https://schemas.example/a.json\"}");
        QTest::newRow("a file") << QByteArray("{\"$ref\":\"file:///etc/passwd\"}");
        QTest::newRow("nowhere") << QByteArray("{\"$ref\":\"#/$defs/missing\"}");
        QTest::newRow("what is no schema")
            << QByteArray("{\"enum\":[{\"pattern\":\"(a+)+$\"}],\"properties\":{\"a\":{\"$ref\":\"#/enum/0\"}}}");
        QByteArray doubling("{\"$defs\":{\"a0\":{\"type\":\"string\"}");
        for (int i = 1; i < 40; ++i) {
            const QByteArray last = "{\"$ref\":\"#/$defs/a" + QByteArray::number(i - 1) + "\"}";
            doubling += ",\"a" + QByteArray::number(i) + "\":{\"allOf\":[" + last + ',' + last + "]}";
        }
        QTest::newRow("doubling forty times") << doubling + "},\"$ref\":\"#/$defs/a39\"}";
    }
    void schema_ThatCannotServe_IsRefused()
    {
        QFETCH(QByteArray, schema);
        const auto made = ArgumentSchema::create(schema.toStdString());
        QVERIFY(!made.has_value());
        QVERIFY(!made.error().empty());
    }

    void expressions_AreLeftToTheFunction_AndThatIsTold()
    {
        // Both would take until the end of days, or of the stack.
        const auto made = ArgumentSchema::create(
            "{\"properties\":{\"a\":{\"pattern\":\"^(a+)+$\"}},\"patternProperties\":{\"^x\":{\"type\":\"string\"}},\"additionalProperties\":false}");
        QVERIFY(made.has_value());
        QCOMPARE(made->ignored(), (std::vector<std::string>{"patternProperties", "pattern"}));
        QVERIFY(made->check("{\"a\":\"" + std::string(60'000, 'a') + "!\",\"x1\":\"b\"}").has_value());
    }

    void faults_AreOneShortLine()
    {
        const auto made = ArgumentSchema::create("{\"additionalProperties\":false}");
        QVERIFY(made.has_value());
        const auto checked = made->check("{\"" + std::string(5'000, 'x') + "\":1}");
        QVERIFY(!checked.has_value());
        QVERIFY(checked.error().size() <= 400);
    }
};

QTEST_APPLESS_MAIN(TestArgumentSchema)
#include "test_argument_schema.moc"
