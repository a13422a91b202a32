/* Which word was meant.
 *
 * Knows: letters. Shape: pure. Units: none. Errors: none. Cost: the product of both lengths. */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

/* How much must change to make `typed` of `word`, 0: nothing but the case of letters. What is only
 * left out counts least: words are shortened more often than they are mistaken, and seldom at their
 * first letter. Of `word` the first 64 letters count. */
unsigned word_distance(const char *typed, const char *word);

#endif
