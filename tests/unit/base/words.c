/* Which word was meant. */
#include "unit.h"

#include "base/words.h"

static const char *nearest(const char *typed, const char *const *words)
{
    const char *best = words[0];

    for (; *words; words++)
        if (word_distance(typed, *words) < word_distance(typed, best))
            best = *words;
    return best;
}

static void the_same_word_is_no_distance_away(void **state)
{
    (void)state;
    assert_int_equal(word_distance("delay", "delay"), 0);
    assert_int_equal(word_distance("DELAY", "delay"), 0);
    assert_int_equal(word_distance("", ""), 0);
}

static void a_letter_left_out_costs_less_than_one_too_many_or_another(void **state)
{
    (void)state;
    assert_int_equal(word_distance("dely", "delay"), 1);
    assert_int_equal(word_distance("dellay", "delay"), 2);
    assert_int_equal(word_distance("deley", "delay"), 2);
    assert_int_equal(word_distance("", "loss"), 4 + 1); /* and another start */
}

static void shortened_words_are_found_and_swapped_letters_too(void **state)
{
    static const char *const words[] = {"rate", "reorder", "corrupt", "duplicate", "queue", NULL};

    (void)state;
    assert_string_equal(nearest("dup", words), "duplicate");
    assert_string_equal(nearest("corr", words), "corrupt");
    assert_string_equal(nearest("reoder", words), "reorder");
    assert_string_equal(nearest("qeueu", words), "queue");
}

static void a_word_of_any_length_is_taken(void **state)
{
    char typed[200], word[200];

    (void)state;
    memset(typed, 'a', sizeof typed);
    memset(word, 'b', sizeof word);
    typed[199] = word[199] = '\0';
    assert_true(word_distance(typed, word) > 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_word_is_no_distance_away),
        cmocka_unit_test(a_letter_left_out_costs_less_than_one_too_many_or_another),
        cmocka_unit_test(shortened_words_are_found_and_swapped_letters_too),
        cmocka_unit_test(a_word_of_any_length_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
